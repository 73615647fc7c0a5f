// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "libdomainbuilder/image/decompress.hpp"
#include "tests/libdomainbuilder/fixtures/images.hpp"

namespace xl::build {
namespace {

using namespace fixture;

// Compressible and not; two blocks of LZO's.
const Blob& sample() {
  static const Blob content = [] {
    Blob bytes(300 << 10);
    std::mt19937 random(7);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>(i < (60 << 10) ? random() : i / 100);
    }
    return bytes;
  }();
  return content;
}

class DecompressTest : public testing::TestWithParam<Compression> {
 protected:
  // Compressed once in a run: xz takes its time.
  static const Blob& packed_sample(Compression format) {
    static std::map<Compression, Blob> made;
    Blob& packed = made[format];
    if (packed.empty()) {
      packed = compress(format, sample());
    }
    return packed;
  }
  const Blob& packed_ = packed_sample(GetParam());
};

TEST_P(DecompressTest, GivesBackWhatWasThere) {
  const Blob& content = sample();
  EXPECT_EQ(detect_compression(packed_), GetParam());
  Blob out(content.size());
  const auto result = decompress(GetParam(), packed_, out);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(out, content);
}

TEST_P(DecompressTest, NeverWritesMoreThanDeclared) {
  for (const std::size_t room :
       {std::size_t{0}, std::size_t{1}, std::size_t{4096}, sample().size() - 1}) {
    Blob out(room);  // the sanitizers watch its end
    const auto result = decompress(GetParam(), packed_, out);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::invalid_image);
  }
}

TEST_P(DecompressTest, EndsEarlierThanDeclared) {
  Blob out(sample().size() + 1);
  const auto result = decompress(GetParam(), packed_, out);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("ends after"), std::string::npos) << result.error().message;
}

TEST_P(DecompressTest, TruncatedAnywhere) {
  for (std::size_t size = 0; size < packed_.size(); size += 1 + size / 5) {
    Blob out(sample().size());
    EXPECT_FALSE(decompress(GetParam(), std::span(packed_).first(size), out)) << size;
  }
}

TEST_P(DecompressTest, TrailingBytes) {
  Blob packed = packed_;
  append(packed, to_blob("zzz"));
  Blob out(sample().size());
  EXPECT_FALSE(decompress(GetParam(), packed, out));
}

TEST_P(DecompressTest, DamageIsNeverACrash) {
  std::mt19937 random(11);
  for (int round = 0; round < 30; ++round) {
    Blob bad = packed_;
    for (int i = 0; i < 8; ++i) {
      bad[random() % (round < 15 ? 64 : bad.size())] = static_cast<std::byte>(random());
    }
    Blob out(sample().size());
    if (const auto result = decompress(GetParam(), bad, out); !result) {
      EXPECT_EQ(result.error().code, ErrorCode::invalid_image);
      EXPECT_FALSE(result.error().message.empty());
    }
  }
}

// 4 MiB of zeros that declare 64 KiB: stopped there, and said so.
TEST_P(DecompressTest, Bomb) {
  const Blob packed = compress(GetParam(), Blob(4 << 20));
  Blob out(64 << 10);
  const auto result = decompress(GetParam(), packed, out);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().message.find("more than") != std::string::npos)
      << result.error().message;
}

INSTANTIATE_TEST_SUITE_P(All, DecompressTest,
                         testing::Values(Compression::gzip, Compression::bzip2, Compression::lzma,
                                         Compression::xz, Compression::lzo, Compression::lz4,
                                         Compression::zstd),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST(DecompressLzoTest, WrongChecksums) {
  const Blob good = compress(Compression::lzo, sample());
  constexpr std::size_t header_checksum = 9 + 2 + 2 + 2 + 1 + 1 + 4 + 4 + 4 + 4 + 1;
  constexpr std::size_t block_checksum = header_checksum + 4 + 4 + 4;
  for (const std::size_t at : {header_checksum, block_checksum}) {
    Blob bad = good;
    bad[at] ^= std::byte{1};
    Blob out(sample().size());
    const auto result = decompress(Compression::lzo, bad, out);
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find("checksum"), std::string::npos);
  }
}

TEST(DecompressLz4Test, FramesMayFollowEachOther) {
  Blob packed = compress(Compression::lz4, to_blob("one and "));
  append(packed, compress(Compression::lz4, to_blob("another")));
  Blob out(15);
  ASSERT_TRUE(decompress(Compression::lz4, packed, out));
  EXPECT_EQ(out, to_blob("one and another"));
}

TEST(DecompressTest, UnknownData) {
  EXPECT_EQ(detect_compression(to_blob("hello")), Compression::none);
  EXPECT_EQ(detect_compression({}), Compression::none);
  Blob out(1);
  EXPECT_FALSE(decompress(Compression::none, to_blob("hello"), out));
}

TEST(PeekGzipTest, GivesTheBeginning) {
  Blob out(5);
  EXPECT_EQ(peek_gzip(compress(Compression::gzip, to_blob("070701 and more")), out), 5u);
  EXPECT_EQ(out, to_blob("07070"));
  EXPECT_EQ(peek_gzip(compress(Compression::gzip, to_blob("abc")), out), 3u);
  EXPECT_EQ(peek_gzip(to_blob("\x1f\x8b garbage"), out), 0u);
}

}  // namespace
}  // namespace xl::build
