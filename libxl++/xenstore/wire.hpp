// SPDX-License-Identifier: Apache-2.0
// Messages of the protocol, public/io/xs_wire.h: a header of 16 bytes, then at most 4096 bytes of
// payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libxl++/xenstore/result.hpp"

namespace xl::xenstore {

inline constexpr std::size_t header_size = 16;
inline constexpr std::size_t max_payload = 4096;

struct Header {
  std::uint32_t type = 0;  // XS_*
  std::uint32_t request = 0;
  std::uint32_t transaction = 0;
  std::uint32_t length = 0;  // bytes of payload
};

Header parse_header(std::span<const std::byte, header_size> bytes);

// One message, ready to send. The payload must fit.
std::string encode(std::uint32_t type, std::uint32_t request, std::uint32_t transaction,
                   std::string_view payload);

// The text as a decimal number. Errors: EINVAL.
XsResult<std::uint32_t> parse_number(std::string_view text);

// Takes NUL-terminated strings off a payload, in order.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload) : rest_(payload) {}

  // None if no terminated string is left.
  std::optional<std::string_view> string();
  // The next string as a decimal number. Errors: EINVAL.
  XsResult<std::uint32_t> number();
  // All that is left, of any bytes.
  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace xl::xenstore
