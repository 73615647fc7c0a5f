// SPDX-License-Identifier: Apache-2.0
// A domain config as JSON.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/formats_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  xl::config::check_document(std::string_view(reinterpret_cast<const char*>(data), size),
                             xl::config::Format::json);
  return 0;
}
