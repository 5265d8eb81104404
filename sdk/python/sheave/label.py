"""Names that Kubernetes, DNS and others accept."""

LONGEST = 63


def label(address: str) -> str:
    """A DNS label out of a resource's address: web[2] is web-2, shard["EU_west"] is shard-eu-west.

    Where characters are lost for good, or the label would be too long, eight characters of a hash keep it apart from others.
    """
    text, lost = "", False
    for c in address:
        if "a" <= c <= "z" or "0" <= c <= "9":
            text += c
        elif "A" <= c <= "Z":
            text += c.lower()
        else:
            lost = lost or c not in '.-_[]"'
            if text and not text.endswith("-"):
                text += "-"
    text = text.rstrip("-")
    if not lost and text and len(text) <= LONGEST:
        return text
    text = text[: LONGEST - 9].rstrip("-")
    hashed = 0x811C9DC5
    for byte in address.encode():
        hashed = ((hashed ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{text}-{hashed:08x}" if text else f"x{hashed:08x}"
