// SPDX-License-Identifier: Apache-2.0
// Ring: carries a guest's connection over its page, public/io/xs_wire.h's
// xenstore_domain_interface. The page is shared with a hostile peer: indexes are copied, checked,
// then used, and the server's own positions are never read back.
//
// Thread rule: one thread at a time. The page stays mapped as long as the ring exists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace xl::xenstore {

class Client;

class Ring {
 public:
  // `page` holds at least the interface's structure, 4-byte aligned.
  explicit Ring(std::span<std::byte> page);

  struct Progress {
    bool notify = false;  // tell the guest
    bool more =
        false;  // there is more to do without an event: call again, after others had their turn
  };
  // Moves what there is in both directions, a bounded amount of it.
  Progress pump(Client& client);

 private:
  bool take_requests(Client& client, Progress& progress);
  bool put_responses(Client& client, Progress& progress);
  void reconnect(Client& client);
  void fail(Client& client, std::uint32_t error);

  std::byte* page_;
  std::uint32_t requests_taken_;  // req_cons
  std::uint32_t responses_put_;   // rsp_prod
  bool failed_ = false;
};

}  // namespace xl::xenstore
