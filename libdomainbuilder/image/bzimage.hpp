// SPDX-License-Identifier: Apache-2.0
// Linux's bzImage: a setup header (boot protocol 2.08 or later) that names the compressed ELF file
// behind it. Source: Documentation/x86/boot.rst.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "libdomainbuilder/image/bytes.hpp"

namespace xl::build {

struct BzImage {
  std::string protocol;  // "2.15"
  std::string version;   // banner, printable characters only; may be empty
  ByteView payload;      // lies within the file
  std::optional<Error>
      fault;  // the first thing that is wrong, in words that follow the file's name
};

bool looks_like_bzimage(ByteView file);

BzImage read_bzimage(ByteView file);

}  // namespace xl::build
