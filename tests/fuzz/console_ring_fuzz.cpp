// SPDX-License-Identifier: Apache-2.0
// A console page of a hostile guest, which changes it under way. The input is the page's end, where
// the positions are, then steps: what the guest writes over a position, and what is done with the
// ring. Beyond "no crash": never more than a ring, our own position moves by what was taken, and
// what is left of a snapshot is the end of it.
#include "libxl++/console/ring_snapshot.hpp"

#include <xen/io/console.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/types.hpp"
#include "libxl++/console/ring.hpp"

namespace {

using xl::console::Ring;
using xl::console::RingSnapshot;

constexpr std::size_t positions = offsetof(xencons_interface, in_cons);
constexpr std::size_t position_count = 4;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

class Guest {
 public:
  Guest(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {
    for (std::size_t i = 0; i < page_.size(); ++i) {
      page_[i] = std::byte('a' + i % 26);
    }
    for (std::size_t i = 0; i < position_count; ++i) {
      set_position(i);
    }
  }

  bool has_more() const { return size_ != 0; }
  std::uint8_t byte() {
    if (size_ == 0) {
      return 0;
    }
    --size_;
    return *data_++;
  }
  void set_position(std::size_t which) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i) {
      value |= static_cast<std::uint32_t>(byte()) << (8 * i);
    }
    std::memcpy(&page_[positions + (which % position_count) * sizeof value], &value, sizeof value);
  }
  std::span<std::byte> page() { return page_; }

 private:
  alignas(8) std::array<std::byte, xl::page_size> page_{};
  const std::uint8_t* data_;
  std::size_t size_;
};

void take(Ring& ring, std::size_t wanted) {
  std::array<std::byte, Ring::output_size> buffer;
  const Ring::Read seen = ring.peek_output(buffer);
  require(seen.count <= buffer.size());
  const std::uint32_t before = ring.output_taken();
  const std::size_t count = std::min(wanted, seen.count);
  ring.take_output(count);
  require(ring.output_taken() - before == count);
}

void look(Guest& guest, std::uint32_t received, const std::string& before) {
  const RingSnapshot ring = RingSnapshot::of(guest.page());
  require(ring.last.size() <= Ring::output_size);
  const std::string rest = ring.rest(received, before);
  require(ring.last.ends_with(rest));
  (void)ring.is_drained();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Guest guest(data, size);
  Ring ring = (guest.byte() & 1) != 0 ? Ring(guest.page(), guest.byte()) : Ring(guest.page());
  const std::array<std::byte, 3 * Ring::input_size> typed{};
  while (guest.has_more()) {
    const std::uint8_t step = guest.byte();
    switch (step % 4) {
      case 0: guest.set_position(step / 4U); break;
      case 1: take(ring, static_cast<std::size_t>(guest.byte()) * 16); break;
      case 2: {
        const std::size_t count = static_cast<std::size_t>(guest.byte()) * 12;
        require(ring.write_input(std::span(typed).first(count)) <=
                std::min(count, Ring::input_size));
        break;
      }
      default: look(guest, guest.byte() * 16U, std::string(guest.byte(), 'z'));
    }
  }
  return 0;
}
