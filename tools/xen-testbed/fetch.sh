# SPDX-License-Identifier: Apache-2.0
# Part of devtool: downloads the Debian packages of the Xen test bed and has image.py make the bed's image out of them. No root.
# shellcheck shell=bash

testbed=$fetched/xen-testbed

# What the machine itself needs for the bed.
packages_testbed=(qemu-system-x86 e2fsprogs cpio)
# Only unpacked for their /boot and the kernel's modules.
testbed_boot=(xen-hypervisor-4.17-amd64 linux-image-amd64)
# dom0's root; what these depend on comes with them.
testbed_root=(
  base-files base-passwd bash busybox-static coreutils dash findutils grep gzip hostname iproute2 kmod mawk mount procps sed tar
  util-linux python3 python3-yaml python3-jsonschema
  xen-utils-4.17 xenstore-utils
  gdb strace
  libbz2-1.0 libbenchmark1debian libfmt9 liblz4-1 liblzma5 liblzo2-2 libncurses6 libre2-9 libspdlog1.10 libstdc++6 libxml2
  libyajl2 libyaml-cpp0.7 libzstd1 zlib1g libasan8 libubsan1
)

# Lists of their own: all of the machine's Debian archives, as it is the one for security that has the newest Xen; and as if
# nothing was installed, so that all of dom0's root is downloaded.
testbed_apt() {
  local command=$1
  shift
  own_apt "$command" -o Dir::Etc::SourceList="$testbed/apt/sources.list" -o Dir::State::Lists="$testbed/apt/lists" \
    -o Dir::State::status="$testbed/apt/status" -o Dir::Cache="$testbed/apt" -o Dir::Cache::archives="$testbed/apt/archives" "$@"
}

testbed_sources() {
  local codename
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
    awk -v c="$codename" '$2 == c || $2 == c "-security" || $2 == c "-updates" { print "deb", $1, $2, "main" }' | sort -u
}

# The kernel's package by a name that never changes: the one that it depends on.
testbed_real_package() {
  testbed_apt apt-cache depends "$1" | awk -v p="$1" '$1 == "Depends:" && $2 ~ "^linux-image-[0-9]" { p = $2 } END { print p }'
}

testbed_download() {
  local package boot=()
  rm -rf "$testbed/apt" "$testbed/packages"
  mkdir -p "$testbed/apt/lists/partial" "$testbed/apt/archives/partial" "$testbed/packages/boot"
  : >"$testbed/apt/status"
  testbed_sources >"$testbed/apt/sources.list"
  testbed_apt apt-get -qq update >&2 || return
  testbed_apt apt-get -qq -y --no-install-recommends --download-only install "${testbed_root[@]}" >&2 || return
  mv "$testbed/apt/archives" "$testbed/packages/root"
  for package in "${testbed_boot[@]}"; do boot+=("$(testbed_real_package "$package")"); done
  (cd "$testbed/packages/boot" && testbed_apt apt-get -qq download "${boot[@]}" >&2)
}

fetch_testbed() {
  local image old
  image=$(XL_BUILD=$build python3 "$top/tools/xen-testbed" --show-image)
  mkdir -p "$testbed"
  (
    flock 9  # several may start at once
    [ ! -f "$image/versions" ] || { touch "$image"; exit 0; }
    say "making the image of the Xen test bed"
    testbed_download || { say "the packages of the Xen test bed cannot be fetched"; exit 1; }
    python3 "$top/tools/xen-testbed/image.py" --packages "$testbed/packages" --output "$image" || exit 1
    rm -rf "$testbed/packages" "$testbed/apt"
    for old in $(find "$testbed" -maxdepth 1 -name 'image-*' -mtime +7); do rm -rf "$old"; done
  ) 9>"$testbed/lock"
}
