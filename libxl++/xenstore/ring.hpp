// SPDX-License-Identifier: Apache-2.0
// Ring: carries a guest's connection over its page, public/io/xs_wire.h's
// xenstore_domain_interface. The page is shared with a hostile peer: indexes are copied, checked,
// then used, and the server's own positions are never read back.
//
// Thread rule: one thread at a time. The page stays mapped as long as the ring exists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "libxl++/xenstore/record.hpp"

namespace xl::xenstore {

class Client;
class Connection;
class RingTurn;

class Ring {
 public:
  // `page` holds at least the interface's structure, 4-byte aligned. `position`: where an earlier
  // process stopped; what it had begun to show the guest is shown wholly now.
  // `features`: what the page offers, XENSTORE_SERVER_FEATURE_*.
  explicit Ring(std::span<std::byte> page, std::optional<RingPosition> position = std::nullopt,
                std::uint32_t features = 0);

  struct Progress {
    bool notify = false;  // tell the guest
    bool more =
        false;  // there is more to do without an event: call again, after others had their turn
    // Something was taken: call again in a moment, too. Linux writes req_prod and reads req_cons
    // without a barrier between, so that it may not notify though it ought to.
    bool look_again = false;
  };
  // Moves what there is in both directions, a bounded amount of it. The guest sees nothing of it
  // before all is in the journal.
  Progress pump(Client& client);

 private:
  bool take_requests(Connection& connection);
  bool put_responses(Connection& connection);
  void reconnect(RingTurn& turn);
  void fail(Connection& connection, std::uint32_t error);
  void publish(Progress& progress);
  bool missed_something(const Connection& connection) const;

  std::byte* page_;
  RingPosition position_;
  RingPosition shown_;       // what the page says
  bool is_resumed_ = false;  // the guest is to be told of what it may have missed
};

}  // namespace xl::xenstore
