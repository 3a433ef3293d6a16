"""The motorist's door (小程序接口): JSON over HTTPS under `/mp/v1`, one file per noun."""
