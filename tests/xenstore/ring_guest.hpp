// SPDX-License-Identifier: Apache-2.0
// The guest's end of a ring page: sends what fits, fetches what came, cuts it into messages.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libxl++/xenstore/wire.hpp"
#include "libxl++/xenstore/xs_wire.hpp"
#include "tests/xenstore/client_fixture.hpp"

namespace xl::xenstore::fixture {

class RingGuest {
 public:
  explicit RingGuest(void* page) : page_(*static_cast<xenstore_domain_interface*>(page)) {}

  xenstore_domain_interface& page() { return page_; }

  // As much as there is room for; what it did not take stays in `bytes`.
  void send(std::string& bytes) {
    std::uint32_t produced = page_.req_prod;
    const std::uint32_t consumed = load(page_.req_cons);
    std::size_t count = 0;
    for (; count < bytes.size() && produced - consumed < XENSTORE_RING_SIZE; ++count) {
      page_.req[MASK_XENSTORE_IDX(produced++)] = bytes[count];
    }
    bytes.erase(0, count);
    store(page_.req_prod, produced);
  }
  void fetch(std::size_t at_most = XENSTORE_RING_SIZE) {
    std::uint32_t consumed = page_.rsp_cons;
    const std::uint32_t produced = load(page_.rsp_prod);
    for (; consumed != produced && at_most != 0; --at_most) {
      input_ += page_.rsp[MASK_XENSTORE_IDX(consumed++)];
    }
    store(page_.rsp_cons, consumed);
  }
  std::optional<Message> next() {
    if (input_.size() < header_size) {
      return std::nullopt;
    }
    const Header header = parse_header(std::as_bytes(std::span(input_)).first<header_size>());
    if (input_.size() < header_size + header.length) {
      return std::nullopt;
    }
    Message message{header, input_.substr(header_size, header.length)};
    input_.erase(0, header_size + header.length);
    return message;
  }

 private:
  static std::uint32_t load(std::uint32_t& word) {
    return std::atomic_ref<std::uint32_t>(word).load(std::memory_order_acquire);
  }
  static void store(std::uint32_t& word, std::uint32_t value) {
    std::atomic_ref<std::uint32_t>(word).store(value, std::memory_order_release);
  }

  xenstore_domain_interface& page_;
  std::string input_;
};

}  // namespace xl::xenstore::fixture
