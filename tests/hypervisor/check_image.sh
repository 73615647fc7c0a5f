#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The hypervisor's image has nothing that nobody would run or resolve, and no memory that is both written and executed.
set -eu
image=$1
failed=0
fail() {
  echo "FAIL: $*"
  failed=1
}

initialisers=$(readelf -SW "$image" | sed 's/^ *\[ *[0-9]*\] *//' |
  awk '$1 ~ /^\.(init_array|ctors|preinit_array)/ && $5 !~ /^0+$/ { print $1 }')
[ -z "$initialisers" ] || fail "dynamic initialisers: $initialisers"

undefined=$(nm -u "$image")
[ -z "$undefined" ] || fail "undefined symbols: $undefined"

segments=$(readelf -lW "$image" | awk '$1 == "LOAD"')
[ -n "$segments" ] || fail "no segments"
echo "$segments" | awk '/ RWE / { exit 1 }' || fail "a segment is writable and executable"
echo "$segments" | awk '$2 != "" && $(NF) != "0x1000" { exit 1 }' || fail "a segment is not aligned to pages"

readelf -nW "$image" | grep -q 'Xen.*0x00000012' || fail "no PHYS32_ENTRY note"
readelf -hW "$image" | grep -q 'EXEC' || fail "the image is relocatable"

# Floating point or vector registers would destroy the guest's, which stay in the CPU while the hypervisor runs.
vector=$(objdump -d "$image" | grep -E '%([xyz]mm|st\b|mm[0-7])' | head -3 || true)
[ -z "$vector" ] || fail "vector instructions: $vector"

[ "$failed" -eq 0 ] && echo "PASS"
exit "$failed"
