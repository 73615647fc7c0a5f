// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/wire.hpp"

#include <charconv>
#include <cstring>
#include <iterator>

#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {

static_assert(sizeof(xsd_sockmsg) == header_size && max_payload == XENSTORE_PAYLOAD_MAX);

std::string_view wire_name(Errno error) {
  for (const auto& known : xsd_errors) {
    if (known.errnum == error.value) {
      return known.errstring;
    }
  }
  return "EINVAL";
}

Header parse_header(std::span<const std::byte, header_size> bytes) {
  xsd_sockmsg message;
  std::memcpy(&message, bytes.data(), sizeof message);
  return {message.type, message.req_id, message.tx_id, message.len};
}

std::string encode(std::uint32_t type, std::uint32_t request, std::uint32_t transaction,
                   std::string_view payload) {
  const xsd_sockmsg message = {type, request, transaction,
                               static_cast<std::uint32_t>(payload.size())};
  std::string bytes(header_size + payload.size(), '\0');
  std::memcpy(bytes.data(), &message, sizeof message);
  payload.copy(bytes.data() + header_size, payload.size());
  return bytes;
}

std::optional<std::string_view> PayloadReader::string() {
  const std::size_t end = rest_.find('\0');
  if (end == rest_.npos) {
    return std::nullopt;
  }
  const std::string_view text = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return text;
}

XsResult<std::uint32_t> PayloadReader::number() {
  const std::optional<std::string_view> text = string();
  return text ? parse_number(*text) : XsResult<std::uint32_t>(refuse(EINVAL));
}

XsResult<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) {
    return refuse(EINVAL);
  }
  return value;
}

}  // namespace xl::xenstore
