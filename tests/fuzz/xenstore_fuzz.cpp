// SPDX-License-Identifier: Apache-2.0
// The xenstore's protocol: the input is what two guests send, in turns. The first byte of each
// piece says whose it is and how long; whatever comes, connections stay within their bounds and the
// store's account adds up.
#include <spdlog/spdlog.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "libxl++/xenstore/connection.hpp"
#include "libxl++/xenstore/store.hpp"

namespace {

using xl::DomId;
using xl::xenstore::Access;
using xl::xenstore::Caller;
using xl::xenstore::Connection;
using xl::xenstore::Permissions;
using xl::xenstore::Store;

void check(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void prepare(Store& store, DomId guest) {
  const auto permissions = std::make_shared<const Permissions>(Permissions{{guest, Access::none}});
  for (const char* path : {"/local", "/local/domain"}) {
    store.tree().put(path, {"", store.tree().find("/")->permissions});
  }
  store.tree().put("/local/domain/" + std::to_string(guest.value()), {"", permissions});
}

void drain(Connection& connection) {
  std::array<std::byte, 4096> room;
  while (connection.send(room) != 0) {
  }
  check(!connection.has_output());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spdlog::set_level(spdlog::level::off);
  Store store(
      {.nodes = 50, .node_size = 256, .watches = 8, .transactions = 3, .pending_events = 16});
  std::vector<DomId> guests{DomId(1), DomId(2)};
  for (const DomId guest : guests) {
    prepare(store, guest);
  }
  {
    Connection first(store, Caller{DomId(1), {}}, [] {});
    Connection second(store, Caller{DomId(2), {}}, [] {});
    // The third plays a tool with domain 0's rights, whose requests reach further.
    Connection zero(store, Caller{DomId(0), {}}, [] {});
    const std::array<Connection*, 4> connections{&first, &second, &zero, &first};
    std::span<const std::byte> input = std::as_bytes(std::span(data, size));
    while (!input.empty()) {
      const auto head = static_cast<std::size_t>(input.front());
      Connection& connection = *connections[head & 3];
      const std::size_t length = std::min((head >> 2) + 1, input.size() - 1);
      std::span<const std::byte> piece = input.subspan(1, length);
      input = input.subspan(1 + length);
      while (!piece.empty()) {
        const std::size_t taken = connection.receive(piece);
        if (taken == 0) {
          drain(connection);
          if (connection.broken()) {
            connection.reset();
          }
        }
        piece = piece.subspan(taken);
      }
    }
    for (Connection* connection : connections) {
      drain(*connection);
    }
  }
  for (const DomId guest : guests) {
    store.forget(guest);
    check(store.tree().owned_by(guest) == 0);
  }
  return 0;
}
