// SPDX-License-Identifier: Apache-2.0
// MessageReader: cuts the bytes that a xenstored sends to its client into messages, and takes the
// messages apart. The bytes are untrusted: any, cut anywhere. Not locked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "libxl++/xenstore/result.hpp"
#include "libxl++/xenstore/wire.hpp"

namespace xl::xenstore {

// Bytes of payload that are taken. The protocol has max_payload, but oxenstored sends a long list
// whole.
inline constexpr std::size_t reply_limit = 1 << 20;

struct Message {
  Header header;
  std::string payload;
};

class MessageReader {
 public:
  // Keeps them until next() has given them out.
  void add(std::span<const std::byte> bytes);
  // The next message that is complete; none if more bytes are needed. Errors: protocol, a payload
  // longer than reply_limit; there is no next one then.
  Result<std::optional<Message>> next();

 private:
  std::string bytes_;
  std::size_t at_ = 0;  // what is before was given out
};

// "ENOENT\0", an ERROR reply's payload. EIO for a name that the protocol does not have.
Errno parse_errno(std::string_view payload);

// The strings of a list's payload, each closed by a NUL; what follows the last NUL is no string.
std::vector<std::string> parse_strings(std::string_view payload);

// A part of a long list, DIRECTORY_PART's payload.
struct ListPart {
  std::string generation;  // of the list: another one with the next part means to begin again
  std::vector<std::string> names;
  std::uint32_t size = 0;  // bytes of the list that they are; the next part begins behind them
  bool is_last = false;
};
// Errors: EIO, if it is none, or one that would not end.
XsResult<ListPart> parse_list_part(std::string_view payload);

}  // namespace xl::xenstore
