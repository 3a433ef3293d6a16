"""What WeChat must be told so that it does not withhold money: that the service paid for was rendered."""
