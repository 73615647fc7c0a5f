// SPDX-License-Identifier: Apache-2.0
// A domain's record as a daemon finds it on disk. Beyond "no crash": what is taken is a valid
// config with a UUID, and comes back the same when it is written again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libxl++/toolstack/record.hpp"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace xl::toolstack;
  // SAFETY: bytes as characters.
  const auto record = parse_record({reinterpret_cast<const char*>(data), size});
  if (!record) {
    require(!record.error().message.empty());
    return 0;
  }
  require(record->plan.config.uuid.has_value());
  require(xl::config::validate(record->plan.config).has_value());
  const std::string text = to_text(*record);
  const auto again = parse_record(text);
  require(again.has_value());
  require(to_text(*again) == text);
  require(again->plan.config == record->plan.config);
  return 0;
}
