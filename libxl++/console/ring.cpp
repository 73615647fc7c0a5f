// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/ring.hpp"

#include <xen/io/console.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace xl::console {
namespace {

static_assert(sizeof(xencons_interface::out) == Ring::output_size &&
              sizeof(xencons_interface::in) == Ring::input_size);

// SAFETY: the page is 4-byte aligned and as long as the structure (Ring's contract); atomic_ref is
// the only way in which words that the guest writes are touched.
std::atomic_ref<std::uint32_t> word(std::byte* page, std::size_t offset) {
  return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(page + offset));
}

#define XL_RING_WORD(field) word(page_, offsetof(xencons_interface, field))

}  // namespace

Ring::Ring(std::span<std::byte> page)
    : page_(page.data()),
      output_taken_(XL_RING_WORD(out_cons).load(std::memory_order_relaxed)),
      input_put_(XL_RING_WORD(in_prod).load(std::memory_order_relaxed)) {}

Ring::Ring(std::span<std::byte> page, std::uint32_t output_taken) : Ring(page) {
  const std::uint32_t produced = XL_RING_WORD(out_prod).load(std::memory_order_acquire);
  if (produced - output_taken <= output_size) {
    output_taken_ = output_taken;
    XL_RING_WORD(out_cons).store(output_taken, std::memory_order_seq_cst);
  }
}

Ring::Read Ring::peek_output(std::span<std::byte, output_size> buffer) {
  const std::uint32_t produced = XL_RING_WORD(out_prod).load(std::memory_order_acquire);
  const std::uint32_t available = produced - output_taken_;
  if (available > output_size) {
    ++bad_indexes_;
    output_taken_ = produced;
    XL_RING_WORD(out_cons).store(produced, std::memory_order_seq_cst);
    return {0, true};
  }
  if (available == 0) {
    return {};
  }
  const std::size_t start = output_taken_ % output_size;
  const std::size_t until_wrap = std::min<std::size_t>(available, output_size - start);
  const std::byte* ring = page_ + offsetof(xencons_interface, out);
  std::memcpy(buffer.data(), ring + start, until_wrap);
  std::memcpy(buffer.data() + until_wrap, ring, available - until_wrap);
  return {available, false};
}

bool Ring::take_output(std::size_t count) {
  const std::uint32_t before = output_taken_;
  output_taken_ += static_cast<std::uint32_t>(count);
  XL_RING_WORD(out_cons).store(output_taken_, std::memory_order_seq_cst);
  // An event makes the guest leave and return, which is dear; only one that saw the ring full waits
  // for it. Either it sees the new out_cons, or this load sees how far it got.
  const std::uint32_t reached = XL_RING_WORD(out_prod).load(std::memory_order_seq_cst);
  return reached - before >= output_size;
}

std::size_t Ring::write_input(std::span<const std::byte> bytes) {
  const std::uint32_t consumed = XL_RING_WORD(in_cons).load(std::memory_order_seq_cst);
  const std::uint32_t pending = input_put_ - consumed;
  if (pending > input_size) {
    ++bad_indexes_;
    return 0;
  }
  const std::size_t count = std::min<std::size_t>(bytes.size(), input_size - pending);
  const std::size_t start = input_put_ % input_size;
  const std::size_t until_wrap = std::min(count, input_size - start);
  std::byte* ring = page_ + offsetof(xencons_interface, in);
  std::memcpy(ring + start, bytes.data(), until_wrap);
  std::memcpy(ring, bytes.data() + until_wrap, count - until_wrap);
  input_put_ += static_cast<std::uint32_t>(count);
  XL_RING_WORD(in_prod).store(input_put_, std::memory_order_release);
  return count;
}

}  // namespace xl::console
