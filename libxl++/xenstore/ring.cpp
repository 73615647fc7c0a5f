// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/ring.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "libxl++/xenstore/server.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

constexpr std::uint32_t size = XENSTORE_RING_SIZE;
// Turns of one pump: enough for a request and its answer of full size, few enough to be fair to the
// other domains.
constexpr int max_turns = 8;

// SAFETY: the page is 4-byte aligned and as long as the structure (Ring's contract); atomic_ref is
// the only way in which words that the guest writes are touched.
std::atomic_ref<std::uint32_t> word(std::byte* page, std::size_t offset) {
  return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(page + offset));
}

#define XL_RING_WORD(field) word(page_, offsetof(xenstore_domain_interface, field))

}  // namespace

Ring::Ring(std::span<std::byte> page)
    : page_(page.data()),
      requests_taken_(XL_RING_WORD(req_cons).load(std::memory_order_relaxed)),
      responses_put_(XL_RING_WORD(rsp_prod).load(std::memory_order_relaxed)) {
  XL_RING_WORD(server_features)
      .store(XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR,
             std::memory_order_relaxed);
}

Ring::Progress Ring::pump(Client& client) {
  Progress progress;
  if (XL_RING_WORD(connection).load(std::memory_order_acquire) == XENSTORE_RECONNECT) {
    reconnect(client);
    progress.notify = true;
  }
  bool moved = true;
  for (int turn = 0; turn < max_turns && moved && !failed_; ++turn) {
    moved = put_responses(client, progress);
    if (!failed_ && take_requests(client, progress)) {
      moved = true;
    }
  }
  progress.more = moved && !failed_;
  if (!failed_ && client.broken()) {
    fail(client, XENSTORE_ERROR_PROTO);
    progress.notify = true;
  }
  return progress;
}

bool Ring::take_requests(Client& client, Progress& progress) {
  const std::uint32_t produced = XL_RING_WORD(req_prod).load(std::memory_order_acquire);
  const std::uint32_t available = produced - requests_taken_;
  if (available > size) {
    fail(client, XENSTORE_ERROR_RINGIDX);
    progress.notify = true;
    return false;
  }
  if (available == 0) {
    return false;
  }
  std::array<std::byte, size> copy;
  const std::uint32_t start = requests_taken_ % size;
  const std::uint32_t until_wrap = std::min(available, size - start);
  const std::byte* ring = page_ + offsetof(xenstore_domain_interface, req);
  std::memcpy(copy.data(), ring + start, until_wrap);
  std::memcpy(copy.data() + until_wrap, ring, available - until_wrap);
  const auto taken = static_cast<std::uint32_t>(client.receive(std::span(copy).first(available)));
  if (taken == 0) {
    return false;
  }
  const std::uint32_t before = requests_taken_;
  requests_taken_ += taken;
  XL_RING_WORD(req_cons).store(requests_taken_, std::memory_order_seq_cst);
  // A guest that saw the ring full waits for an event.
  if (XL_RING_WORD(req_prod).load(std::memory_order_seq_cst) - before >= size) {
    progress.notify = true;
  }
  return true;
}

bool Ring::put_responses(Client& client, Progress& progress) {
  if (!client.has_output()) {
    return false;
  }
  const std::uint32_t consumed = XL_RING_WORD(rsp_cons).load(std::memory_order_seq_cst);
  const std::uint32_t pending = responses_put_ - consumed;
  if (pending > size) {
    fail(client, XENSTORE_ERROR_RINGIDX);
    progress.notify = true;
    return false;
  }
  std::array<std::byte, size> copy;
  const auto count = static_cast<std::uint32_t>(client.send(std::span(copy).first(size - pending)));
  if (count == 0) {
    return false;
  }
  const std::uint32_t start = responses_put_ % size;
  const std::uint32_t until_wrap = std::min(count, size - start);
  std::byte* ring = page_ + offsetof(xenstore_domain_interface, rsp);
  std::memcpy(ring + start, copy.data(), until_wrap);
  std::memcpy(ring, copy.data() + until_wrap, count - until_wrap);
  responses_put_ += count;
  XL_RING_WORD(rsp_prod).store(responses_put_, std::memory_order_seq_cst);
  progress.notify = true;
  return true;
}

// docs/misc/xenstore-ring.txt, "Connection field": the guest asks for a fresh start, as a kernel
// does after kexec.
void Ring::reconnect(Client& client) {
  client.reset();
  failed_ = false;
  requests_taken_ = responses_put_ = 0;
  XL_RING_WORD(req_cons).store(0, std::memory_order_relaxed);
  XL_RING_WORD(req_prod).store(0, std::memory_order_relaxed);
  XL_RING_WORD(rsp_cons).store(0, std::memory_order_relaxed);
  XL_RING_WORD(rsp_prod).store(0, std::memory_order_relaxed);
  XL_RING_WORD(error).store(XENSTORE_ERROR_NONE, std::memory_order_relaxed);
  XL_RING_WORD(connection).store(XENSTORE_CONNECTED, std::memory_order_release);
}

// The ring is dead until the guest reconnects.
void Ring::fail(Client& client, std::uint32_t error) {
  failed_ = true;
  client.break_off();
  XL_RING_WORD(error).store(error, std::memory_order_release);
}

}  // namespace xl::xenstore
