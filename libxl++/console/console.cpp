// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/console.hpp"

namespace xl::console {

Result<void> queue_input(std::string& waiting, std::span<const std::byte> input) {
  if (input.size() > input_limit - waiting.size()) {
    return fail(ErrorId::console_full,
                "the domain does not read its console: " + std::to_string(waiting.size()) +
                    " bytes are waiting, and " + std::to_string(input.size()) + " more do not fit",
                "`xl list` shows whether it runs");
  }
  // SAFETY: bytes as characters.
  waiting.append(reinterpret_cast<const char*>(input.data()), input.size());
  return {};
}

}  // namespace xl::console
