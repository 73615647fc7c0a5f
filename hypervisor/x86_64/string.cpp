// SPDX-License-Identifier: Apache-2.0
// The functions that compilers call by name (freestanding). Eight words a turn: an emulated CPU
// runs that several times faster than REP MOVS, which it does element by element.
#include <cstddef>
#include <cstdint>

namespace {

struct [[gnu::packed, gnu::may_alias]] Word {
  std::uint64_t value;
};
constexpr std::size_t unroll = 8;
constexpr std::size_t word = sizeof(Word);

}  // namespace

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t size) {
  auto* out = static_cast<std::uint8_t*>(to);
  const auto* in = static_cast<const std::uint8_t*>(from);
  for (; size >= unroll * word; size -= unroll * word, out += unroll * word, in += unroll * word) {
    // SAFETY: Word is packed and may alias anything; the loop condition bounds both blocks.
    auto* out_words = reinterpret_cast<Word*>(out);
    const auto* in_words = reinterpret_cast<const Word*>(in);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < unroll; ++i) {
      out_words[i] = in_words[i];
    }
  }
  for (; size >= word; size -= word, out += word, in += word) {
    // SAFETY: as above.
    *reinterpret_cast<Word*>(out) = *reinterpret_cast<const Word*>(in);
  }
  for (; size > 0; --size) {
    *out++ = *in++;
  }
  return to;
}

void* memset(void* to, int value, std::size_t size) {
  auto* out = static_cast<std::uint8_t*>(to);
  const Word filled{0x0101010101010101ULL * static_cast<std::uint8_t>(value)};
  for (; size >= unroll * word; size -= unroll * word, out += unroll * word) {
    // SAFETY: Word is packed and may alias anything; the loop condition bounds the block.
    auto* out_words = reinterpret_cast<Word*>(out);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < unroll; ++i) {
      out_words[i] = filled;
    }
  }
  for (; size > 0; --size) {
    *out++ = static_cast<std::uint8_t>(value);
  }
  return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
  auto* out = static_cast<std::uint8_t*>(to);
  const auto* in = static_cast<const std::uint8_t*>(from);
  if (out <= in) {
    for (; size > 0; --size) {
      *out++ = *in++;
    }
  } else {
    for (; size > 0; --size) {
      out[size - 1] = in[size - 1];
    }
  }
  return to;
}

int memcmp(const void* left, const void* right, std::size_t size) {
  const auto* a = static_cast<const std::uint8_t*>(left);
  const auto* b = static_cast<const std::uint8_t*>(right);
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) {
      return a[i] < b[i] ? -1 : 1;
    }
  }
  return 0;
}

std::size_t strlen(const char* text) {
  std::size_t length = 0;
  while (text[length] != 0) {
    ++length;
  }
  return length;
}
}
