"""A day at the car-park: the whole platform in a folder that goes away, real visits over HTTP, every figure checked."""
