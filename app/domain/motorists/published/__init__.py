"""Texts that the city publishes, as files: the sample of the driver agreement (车主服务协议示例)."""

from importlib.resources import files

SAMPLE_VERSION = "示例-1"
SAMPLE_TITLE = "杭州市公共机构停车场共享服务协议（示例）"


def sample_agreement() -> str:
    """The sample's text; a city replaces it by its own before it opens."""
    return files(__package__).joinpath("agreement.txt").read_text(encoding="utf-8")
