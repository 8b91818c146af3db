#!/usr/bin/env python3
"""Makes a header of an object, for a program to have it in itself.

usage: xdp_embed.py OBJECT HEADER"""

import sys
from pathlib import Path


def main():
    octets = Path(sys.argv[1]).read_bytes()
    rows = [", ".join(map(str, octets[i:i + 16])) for i in range(0, len(octets), 16)]
    text = ",\n\t".join(rows)
    Path(sys.argv[2]).write_text("#pragma once\n\n__attribute__((aligned(8))) static const unsigned char "
                                 f"xdp_octets[] = {{\n\t{text}}};\n")


if __name__ == "__main__":
    main()
