// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/message_reader.hpp"

#include <utility>

#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {

void MessageReader::add(std::span<const std::byte> bytes) {
  bytes_.erase(0, std::exchange(at_, 0));
  // SAFETY: bytes as characters.
  bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<std::optional<Message>> MessageReader::next() {
  const std::string_view rest = std::string_view(bytes_).substr(at_);
  if (rest.size() < header_size) {
    return std::optional<Message>();
  }
  const Header header = parse_header(std::as_bytes(std::span(rest)).first<header_size>());
  if (header.length > reply_limit) {
    return fail(ErrorCode::protocol, "xenstored sent a message of " +
                                         std::to_string(header.length) + " bytes; " +
                                         std::to_string(reply_limit) + " are the most");
  }
  if (rest.size() - header_size < header.length) {
    return std::optional<Message>();
  }
  at_ += header_size + header.length;
  return std::optional<Message>({header, std::string(rest.substr(header_size, header.length))});
}

Errno parse_errno(std::string_view payload) {
  const std::string_view name = payload.substr(0, payload.find('\0'));
  for (const auto& known : xsd_errors) {
    if (name == known.errstring) {
      return {known.errnum};
    }
  }
  return {EIO};
}

std::vector<std::string> parse_strings(std::string_view payload) {
  std::vector<std::string> strings;
  PayloadReader reader(payload);
  while (const std::optional<std::string_view> text = reader.string()) {
    strings.emplace_back(*text);
  }
  return strings;
}

XsResult<ListPart> parse_list_part(std::string_view payload) {
  PayloadReader reader(payload);
  const std::optional<std::string_view> generation = reader.string();
  if (!generation) {
    return refuse(EIO);
  }
  ListPart part;
  part.generation = *generation;
  while (const std::optional<std::string_view> name = reader.string()) {
    if (name->empty()) {
      part.is_last = true;
      return part;
    }
    part.names.emplace_back(*name);
    part.size += static_cast<std::uint32_t>(name->size() + 1);
  }
  if (part.names.empty()) {
    return refuse(EIO);
  }
  return part;
}

}  // namespace xl::xenstore
