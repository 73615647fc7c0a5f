// SPDX-License-Identifier: Apache-2.0
// What a xenstored sends to its client: the input is the bytes, the first byte says how they are
// cut into pieces. Whatever comes, each request is answered at most once, who waits is let go, and
// the lists that replies carry are taken apart.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "libxl++/xenstore/host_exchange.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace {

using namespace xl::xenstore;

void check(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void take_apart(const std::string& payload) {
  const auto part = parse_list_part(payload);
  if (part) {
    check(part->is_last || !part->names.empty());
    check(part->generation.size() + part->size <= payload.size());
  }
  std::size_t size = 0;
  for (const std::string& text : parse_strings(payload)) {
    size += text.size() + 1;
  }
  check(size <= payload.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  HostExchange exchange;
  unsigned calls = 0;
  const std::string token = exchange.add_watch([&] { ++calls; });
  const std::array<HostRequest, 4> requests{{{XS_READ, std::string("/a\0", 3)},
                                             {XS_DIRECTORY, std::string("/a\0", 3)},
                                             {XS_WATCH, std::string("/a\0xl-1\0", 8)},
                                             {XS_DIRECTORY_PART, std::string("/a\0000\0", 5)}}};
  HostExchange::Batch batch;
  check(exchange.begin(requests, &batch).has_value());
  check(exchange.begin(std::span(requests).first(1), nullptr).has_value());
  std::span<const std::byte> input = std::as_bytes(std::span(data, size)).subspan(1);
  xl::Result<void> received;
  while (!input.empty() && received) {
    const auto piece = input.first(std::min<std::size_t>(input.size(), data[0] + 1U));
    input = input.subspan(piece.size());
    received = exchange.receive(piece);
    check(batch.outstanding <= requests.size());
  }
  exchange.end({xl::ErrorCode::io, "over"});
  check(calls > 0);
  check(exchange.wait(batch).has_value() == (batch.outstanding == 0));
  for (const auto& reply : batch.replies) {
    if (reply) {
      take_apart(*reply);
    }
  }
  exchange.remove_watch(token);
  return 0;
}
