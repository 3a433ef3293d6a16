"""How we speak with gates and cameras.

Our own protocol, gate/v1 (docs/gate-protocol.md), needs no adapter: its door stands in `app/api/gates/`. What it
needs of the outside is `waiting`: telling a gate that polls, in whichever process, that a command is there.

A vendor's dialect is one module here, named in `dialects` under the profile in `gate_device.profile`, and implements
`words.Dialect`; docs/gate-vendors.md tells the rest. What each must take care of:

* The dialect follows the registered device, never the look of a message: two dialects share the root `AlarmInfoPlate`.
* `Response_AlarmInfoPlate.info == "ok"` raises the barrier in any reply. It is never a mere acknowledgement.
* Vzenith heartbeats carry the camera's own user name and password: they are dropped before anything is logged.
* A failed or slow reply makes a camera decide by itself: store, answer 2xx, decide fast.
* An accepted command does not prove that the arm moved, and an open is never sent twice.
"""
