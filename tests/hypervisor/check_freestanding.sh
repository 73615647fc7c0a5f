#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_freestanding.sh OBJECT_OR_ARCHIVE: the core compiled for no operating system needs the memory functions and its platform,
# nothing else, and initialises nothing at run time.
set -eu
undefined=$(nm -C --undefined-only "$1" | sed -n 's/^ *U //p' |
            grep -vE '^(mem(cpy|move|set|cmp)|hyp::test::Bare(Platform|Format)::.*)$' || true)
if [ -n "$undefined" ]; then
  echo "needs more than it may:" "$undefined" >&2
  exit 1
fi
if objdump -h "$1" | grep -qE '\.(init_array|ctors|eh_frame_hdr|gcc_except_table)'; then
  echo "has run-time initialisers or exception tables" >&2
  exit 1
fi
