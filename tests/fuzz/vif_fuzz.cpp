// SPDX-License-Identifier: Apache-2.0
// Network interfaces, in words that a newline separates.
#include "spec_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace xl::config;
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\n') {
      words.emplace_back();
    } else {
      words.back() += static_cast<char>(data[i]);
    }
  }
  const ParsedSpec<Vif> parsed = parse_vif(words);
  check_spec(parsed, words);
  if (parsed.value && parsed.value->mac) {
    require(*MacAddress::parse(to_string(*parsed.value->mac)) == *parsed.value->mac);
  }
  if (parsed.value && parsed.value->rate) require(parsed.value->rate->interval_us != 0);
  return 0;
}
