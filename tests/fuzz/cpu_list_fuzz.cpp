// SPDX-License-Identifier: Apache-2.0
// A list of CPUs. Beyond "no crash": what was taken is not empty and reads back from its own
// print, what was refused says why in printable words and how to do better.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "libxl++/config/cpu_list.hpp"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace xl::config;
  const auto set = parse_cpu_list({reinterpret_cast<const char*>(data), size});
  if (set) {
    require(set->any());
    require(parse_cpu_list(format_cpu_list(*set)).value() == *set);
  } else {
    const std::string& message = set.error().message;
    require(!message.empty() && !set.error().hint.empty());
    require(std::none_of(message.begin(), message.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
  }
  return 0;
}
