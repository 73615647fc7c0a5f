// SPDX-License-Identifier: Apache-2.0
// What a file is that is no kernel: people pass initrds, modules, scripts and other machines'
// kernels.
#pragma once

#include <optional>
#include <string>

#include "libdomainbuilder/image/bytes.hpp"

namespace xl::build {

// In words that follow the file's name: "is a text file, not a kernel".
std::string describe_non_kernel(ByteView file);

// Whether it starts like a cpio archive, as an uncompressed initrd does.
bool looks_like_cpio(ByteView file);

}  // namespace xl::build
