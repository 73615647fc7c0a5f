// SPDX-License-Identifier: Apache-2.0
// GuestLink: a guest's ring and its client together, from introduction until the domain goes.
//
// Thread rule: pump() from the event thread, end() from any.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "hypervisor-iface/hypervisor.hpp"
#include "libxl++/xenstore/ring.hpp"
#include "libxl++/xenstore/server.hpp"

namespace xl::xenstore {

class GuestLink {
 public:
  // One that has ended.
  GuestLink() = default;
  // `page` is the guest's xenstore page.
  GuestLink(hv::GuestMapping page, std::unique_ptr<Client> client)
      : page_(std::move(page)),
        client_(std::move(client)),
        ring_(std::in_place, page_.segments().front().bytes, client_->position(),
              client_->features()) {}

  // Nothing once ended.
  Ring::Progress pump() {
    const std::lock_guard lock(mutex_);
    return ring_ ? ring_->pump(*client_) : Ring::Progress{};
  }

  // Another page and client after end(): the guest starts anew.
  void renew(hv::GuestMapping page, std::unique_ptr<Client> client) {
    const std::lock_guard lock(mutex_);
    page_ = std::move(page);
    client_ = std::move(client);
    ring_.emplace(page_.segments().front().bytes);
  }

  // The page and the client are let go of before this returns.
  void end() {
    const std::lock_guard lock(mutex_);
    ring_.reset();
    client_.reset();
    page_ = {};
  }

 private:
  std::mutex mutex_;
  hv::GuestMapping page_;
  std::unique_ptr<Client> client_;
  std::optional<Ring> ring_;  // none: ended
};

}  // namespace xl::xenstore
