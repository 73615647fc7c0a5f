// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/ring_snapshot.hpp"

#include <xen/io/console.h>

#include <algorithm>
#include <atomic>

#include "libxl++/console/ring.hpp"

namespace xl::console {
namespace {

std::uint32_t load(std::byte* page, std::size_t offset) {
  // SAFETY: the page is 4-byte aligned and as long as the structure (of()'s contract).
  return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(page + offset))
      .load(std::memory_order_acquire);
}

}  // namespace

RingSnapshot RingSnapshot::of(std::span<std::byte> page) {
  RingSnapshot ring;
  ring.taken = load(page.data(), offsetof(xencons_interface, out_cons));
  ring.produced = load(page.data(), offsetof(xencons_interface, out_prod));
  const std::size_t count = std::min<std::size_t>(ring.produced, Ring::output_size);
  const std::size_t start = (ring.produced - count) % Ring::output_size;
  const std::size_t until_wrap = std::min(count, Ring::output_size - start);
  // SAFETY: bytes as characters.
  const char* out = reinterpret_cast<const char*>(page.data()) + offsetof(xencons_interface, out);
  ring.last.append(out + start, until_wrap);
  ring.last.append(out, count - until_wrap);
  return ring;
}

bool RingSnapshot::is_drained() const {
  const std::uint32_t waiting = produced - taken;
  return waiting == 0 || waiting > Ring::output_size;
}

std::string RingSnapshot::rest(std::uint32_t received, std::string_view before) const {
  const std::uint32_t count = produced - received;
  if (count > last.size()) {
    return {};
  }
  const std::string_view known = std::string_view(last).substr(0, last.size() - count);
  const std::size_t overlap = std::min(known.size(), before.size());
  if (known.substr(known.size() - overlap) != before.substr(before.size() - overlap)) {
    return {};
  }
  return last.substr(last.size() - count);
}

}  // namespace xl::console
