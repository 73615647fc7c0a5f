// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/ring.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

#include "libxl++/xenstore/server.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

constexpr std::uint32_t size = XENSTORE_RING_SIZE;
// Of one pump: enough for what fits into the ring, few enough to be fair to the other domains.
constexpr int max_moves = 8;

// SAFETY: the page is 4-byte aligned and as long as the structure (Ring's contract); atomic_ref is
// the only way in which words that the guest writes are touched.
std::atomic_ref<std::uint32_t> word(std::byte* page, std::size_t offset) {
  return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(page + offset));
}

#define XL_RING_WORD(field) word(page_, offsetof(xenstore_domain_interface, field))

}  // namespace

Ring::Ring(std::span<std::byte> page, std::optional<RingPosition> position, std::uint32_t features)
    : page_(page.data()), is_resumed_(position.has_value()) {
  XL_RING_WORD(server_features).store(features, std::memory_order_relaxed);
  if (position) {
    position_ = *position;
    XL_RING_WORD(error).store(position_.error, std::memory_order_relaxed);
    XL_RING_WORD(rsp_prod).store(position_.responses_put, std::memory_order_release);
    XL_RING_WORD(req_cons).store(position_.requests_taken, std::memory_order_release);
  } else {
    position_.requests_taken = XL_RING_WORD(req_cons).load(std::memory_order_relaxed);
    position_.responses_put = XL_RING_WORD(rsp_prod).load(std::memory_order_relaxed);
  }
  shown_ = position_;
}

Ring::Progress Ring::pump(Client& client) {
  RingTurn turn(client);
  Connection& connection = turn.connection();
  Progress progress;
  progress.notify = std::exchange(is_resumed_, false);
  if (XL_RING_WORD(connection).load(std::memory_order_acquire) == XENSTORE_RECONNECT) {
    reconnect(turn);
    progress.notify = true;
  }
  if (position_.error != XENSTORE_ERROR_NONE && !connection.broken()) {
    position_.error = XENSTORE_ERROR_NONE;  // introduced again
  }
  bool moved = true;
  for (int n = 0; n < max_moves && moved && position_.error == XENSTORE_ERROR_NONE; ++n) {
    moved = put_responses(connection);
    if (position_.error == XENSTORE_ERROR_NONE && take_requests(connection)) {
      moved = true;
    }
  }
  if (position_.error == XENSTORE_ERROR_NONE && connection.broken()) {
    fail(connection, XENSTORE_ERROR_PROTO);
  }
  progress.more = moved && position_.error == XENSTORE_ERROR_NONE;
  turn.commit(position_);
  progress.look_again = position_.requests_taken != shown_.requests_taken;
  publish(progress);
  progress.more = progress.more || missed_something(connection);
  return progress;
}

// A guest notifies by what it sees: not when it produces behind requests that, for it, are not
// taken yet, nor when it makes room in a ring that, for it, is not full. What it did before
// publish() has to be looked for.
bool Ring::missed_something(const Connection& connection) const {
  if (position_.error != XENSTORE_ERROR_NONE) {
    return false;
  }
  const std::uint32_t produced = XL_RING_WORD(req_prod).load(std::memory_order_seq_cst);
  const std::uint32_t consumed = XL_RING_WORD(rsp_cons).load(std::memory_order_seq_cst);
  const bool requests = produced != position_.requests_taken && connection.may_take_request();
  return requests || (connection.has_output() && position_.responses_put - consumed < size);
}

bool Ring::take_requests(Connection& connection) {
  const std::uint32_t produced = XL_RING_WORD(req_prod).load(std::memory_order_acquire);
  const std::uint32_t available = produced - position_.requests_taken;
  if (available > size) {
    fail(connection, XENSTORE_ERROR_RINGIDX);
    return false;
  }
  if (available == 0) {
    return false;
  }
  std::array<std::byte, size> copy;
  const std::uint32_t start = position_.requests_taken % size;
  const std::uint32_t until_wrap = std::min(available, size - start);
  const std::byte* ring = page_ + offsetof(xenstore_domain_interface, req);
  std::memcpy(copy.data(), ring + start, until_wrap);
  std::memcpy(copy.data() + until_wrap, ring, available - until_wrap);
  const std::size_t taken = connection.receive(std::span(copy).first(available));
  position_.requests_taken += static_cast<std::uint32_t>(taken);
  return taken != 0;
}

bool Ring::put_responses(Connection& connection) {
  if (!connection.has_output()) {
    return false;
  }
  const std::uint32_t consumed = XL_RING_WORD(rsp_cons).load(std::memory_order_seq_cst);
  const std::uint32_t pending = position_.responses_put - consumed;
  if (pending > size) {
    fail(connection, XENSTORE_ERROR_RINGIDX);
    return false;
  }
  std::array<std::byte, size> copy;
  const auto count =
      static_cast<std::uint32_t>(connection.send(std::span(copy).first(size - pending)));
  const std::uint32_t start = position_.responses_put % size;
  const std::uint32_t until_wrap = std::min(count, size - start);
  std::byte* ring = page_ + offsetof(xenstore_domain_interface, rsp);
  std::memcpy(ring + start, copy.data(), until_wrap);
  std::memcpy(ring, copy.data() + until_wrap, count - until_wrap);
  position_.responses_put += count;
  return count != 0;
}

// What the journal has the guest may see.
void Ring::publish(Progress& progress) {
  if (position_.responses_put != shown_.responses_put) {
    XL_RING_WORD(rsp_prod).store(position_.responses_put, std::memory_order_seq_cst);
    progress.notify = true;
  }
  if (position_.requests_taken != shown_.requests_taken) {
    XL_RING_WORD(req_cons).store(position_.requests_taken, std::memory_order_seq_cst);
    // A guest that saw the ring full waits for an event.
    if (XL_RING_WORD(req_prod).load(std::memory_order_seq_cst) - shown_.requests_taken >= size) {
      progress.notify = true;
    }
  }
  if (position_.error != shown_.error) {
    XL_RING_WORD(error).store(position_.error, std::memory_order_release);
    progress.notify = true;
  }
  shown_ = position_;
}

// docs/misc/xenstore-ring.txt, "Connection field": the guest asks for a fresh start, as a kernel
// does after kexec. It waits for CONNECTED, so a killed daemon's successor finds its wish again.
void Ring::reconnect(RingTurn& turn) {
  turn.connection().reset();
  position_ = {};
  turn.commit(position_);
  XL_RING_WORD(req_cons).store(0, std::memory_order_relaxed);
  XL_RING_WORD(req_prod).store(0, std::memory_order_relaxed);
  XL_RING_WORD(rsp_cons).store(0, std::memory_order_relaxed);
  XL_RING_WORD(rsp_prod).store(0, std::memory_order_relaxed);
  XL_RING_WORD(error).store(XENSTORE_ERROR_NONE, std::memory_order_relaxed);
  XL_RING_WORD(connection).store(XENSTORE_CONNECTED, std::memory_order_release);
  shown_ = position_;
}

// The ring is dead until the guest reconnects.
void Ring::fail(Connection& connection, std::uint32_t error) {
  position_.error = error;
  connection.break_off();
}

}  // namespace xl::xenstore
