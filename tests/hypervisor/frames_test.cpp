// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/hypervisor/fake_platform.hpp"

namespace hyp::test {
namespace {

constexpr std::uint64_t chunk = 512;

class FramesTest : public testing::Test {
 protected:
  // RAM from 2 MiB to `mib`.
  void init(std::uint64_t mib) {
    platform = std::make_unique<FakePlatform>(mib << 20);
    frames = std::make_unique<Frames<FakePlatform>>(*platform);
    InitInfo info;
    info.ranges[0] = {2 << 20, (mib - 2) << 20};
    info.range_count = 1;
    ASSERT_TRUE(frames->init(info).has_value());
  }
  bool is_zero(Mfn mfn, unsigned order) {
    const std::byte* const at = platform->frame(mfn);
    return std::all_of(at, at + (4096ULL << order), [](std::byte b) { return b == std::byte{}; });
  }
  void dirty(Mfn mfn, unsigned order) { std::memset(platform->frame(mfn), 0xaa, 4096ULL << order); }

  std::unique_ptr<FakePlatform> platform;
  std::unique_ptr<Frames<FakePlatform>> frames;
};

TEST_F(FramesTest, MetadataIsBelowOnePercentAndRamIsNotTouched) {
  init(24 << 10);
  const auto counts = frames->counts();
  EXPECT_EQ(counts.total + counts.metadata, ((24ULL << 10) - 2) * 256);
  EXPECT_LT(counts.metadata * 100, counts.total);
  EXPECT_EQ(counts.clean, counts.total);
  // What is resident: a few pages of metadata.
  std::vector<unsigned char> resident((24ULL << 30) / 4096);
  ASSERT_EQ(::mincore(platform->ram, 24ULL << 30, resident.data()), 0);
  EXPECT_LT(std::count_if(resident.begin(), resident.end(), [](unsigned char r) { return r & 1; }),
            64);
}

TEST_F(FramesTest, GivesAlignedDistinctFramesOfEveryOrder) {
  init(3 << 10);
  std::map<std::uint64_t, std::uint64_t> taken;
  for (const unsigned order : {18U, 9U, 0U, 6U, 3U, 0U, 9U, 1U}) {
    const Result<Mfn> mfn = frames->alloc(order);
    ASSERT_TRUE(mfn.has_value()) << order;
    EXPECT_EQ(mfn->value() % (1ULL << order), 0U);
    const auto next = taken.lower_bound(mfn->value());
    EXPECT_TRUE(next == taken.end() || next->first >= mfn->value() + (1ULL << order));
    EXPECT_TRUE(next == taken.begin() || std::prev(next)->second <= mfn->value());
    taken[mfn->value()] = mfn->value() + (1ULL << order);
  }
}

TEST_F(FramesTest, AllOfItCanBeHadAndComesBack) {
  init(16);
  const std::uint64_t total = frames->counts().total;
  std::vector<Mfn> all;
  for (Result<Mfn> mfn = frames->alloc(0); mfn; mfn = frames->alloc(0)) {
    all.push_back(*mfn);
  }
  EXPECT_EQ(all.size(), total);
  EXPECT_EQ(frames->counts().free(), 0U);
  EXPECT_EQ(frames->alloc(0).error(), Errno::nomem);
  std::shuffle(all.begin(), all.end(), std::mt19937_64(7));
  for (const Mfn mfn : all) {
    frames->free(mfn, 0, Taint::used);
  }
  EXPECT_EQ(frames->counts().free(), total);
  EXPECT_TRUE(frames->alloc(order_2m).has_value()) << "frames do not join into chunks";
}

TEST_F(FramesTest, WhatWasUsedIsScrubbedBeforeItIsGivenAgain) {
  init(16);
  for (const unsigned order : {0U, 4U, 9U}) {
    std::vector<Mfn> all;
    for (Result<Mfn> mfn = frames->alloc(order); mfn; mfn = frames->alloc(order)) {
      dirty(*mfn, order);
      all.push_back(*mfn);
    }
    for (const Mfn mfn : all) {
      frames->free(mfn, order, Taint::used);
    }
    const Result<Mfn> again = frames->alloc(order);
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(is_zero(*again, order));
    frames->free(*again, order, Taint::used);
    while (frames->scrub_some(0)) {
    }
    EXPECT_EQ(frames->counts().dirty, 0U);
    EXPECT_TRUE(is_zero(all.front(), order));
  }
}

TEST_F(FramesTest, UntouchedMemoryIsLeftToTheHostOrScrubbedOnDemand) {
  init(16);
  std::vector<Mfn> all;
  for (Result<Mfn> mfn = frames->alloc(order_2m); mfn; mfn = frames->alloc(order_2m)) {
    dirty(*mfn, order_2m);  // the host wrote an initrd there
    all.push_back(*mfn);
  }
  const Mfn first = all.front();
  for (const Mfn mfn : all) {
    frames->free(mfn, order_2m, Taint::untouched);
  }
  EXPECT_FALSE(frames->scrub_some(0)) << "the host's hole punching zeroes it";
  EXPECT_EQ(frames->counts().releasable, all.size() * chunk);
  const Result<Mfn> wanted = frames->alloc(order_2m);
  ASSERT_TRUE(wanted.has_value());
  EXPECT_TRUE(is_zero(*wanted, order_2m));
  (void)first;
}

TEST_F(FramesTest, OfferedMemoryIsNobodysUntilItReturns) {
  init(16);
  std::vector<Mfn> all;
  for (Result<Mfn> mfn = frames->alloc(order_2m); mfn; mfn = frames->alloc(order_2m)) {
    all.push_back(*mfn);
  }
  for (const Mfn mfn : all) {
    frames->free(mfn, order_2m, Taint::used);
  }
  while (frames->scrub_some(0)) {
  }
  const std::uint64_t total = frames->counts().free();
  std::array<xl::abi::ExtentRecord, 8> records{};
  const unsigned count = frames->take_freed(records.data(), records.size());
  ASSERT_GE(count, 1U);
  EXPECT_EQ(frames->counts().offered, all.size() * chunk);
  EXPECT_EQ(frames->counts().free(), total);
  EXPECT_EQ(frames->alloc(order_2m).error(), Errno::again);
  // A host that was started anew asks again and hears of the same.
  std::array<xl::abi::ExtentRecord, 8> twice{};
  EXPECT_EQ(frames->take_freed(twice.data(), twice.size()), count);
  EXPECT_EQ(twice[0].mfn, records[0].mfn);
  frames->return_freed();
  EXPECT_EQ(frames->counts().offered, 0U);
  EXPECT_EQ(frames->take_freed(twice.data(), twice.size()), 0U) << "nothing resident is left";
  EXPECT_TRUE(frames->alloc(order_2m).has_value());
}

// What a balloon gives back: every other page of what it has.
TEST_F(FramesTest, ScatteredFramesAreOfferedTooAndJoinAgain) {
  init(16);
  std::vector<Mfn> all;
  for (Result<Mfn> mfn = frames->alloc(0); mfn; mfn = frames->alloc(0)) {
    all.push_back(*mfn);
  }
  std::uint64_t freed = 0;
  for (const Mfn mfn : all) {
    if (mfn.value() % 2 == 1) {
      dirty(mfn, 0);
      frames->free(mfn, 0, Taint::used);
      ++freed;
    }
  }
  while (frames->scrub_some(0)) {
  }
  ASSERT_GE(freed, small_release_threshold);
  EXPECT_EQ(frames->counts().offerable(), freed);
  std::array<xl::abi::ExtentRecord, 300> records{};
  std::uint64_t taken = 0;
  while (const unsigned count = frames->take_freed(records.data(), records.size())) {
    std::array<xl::abi::ExtentRecord, 300> twice{};
    ASSERT_EQ(frames->take_freed(twice.data(), twice.size()), count);
    for (unsigned i = 0; i < count; ++i) {
      ASSERT_EQ(records[i].pages, 1U);
      ASSERT_EQ(records[i].mfn % 2, 1U);
      ASSERT_EQ(twice[i].mfn, records[i].mfn);
      ASSERT_TRUE(is_zero(Mfn(records[i].mfn), 0));
    }
    EXPECT_EQ(frames->counts().offered, count);
    taken += count;
    frames->return_freed();
  }
  EXPECT_GT(taken + small_release_threshold, freed) << "few stay";
  EXPECT_EQ(frames->counts().free(), freed);
  // With the others they make whole chunks.
  for (const Mfn mfn : all) {
    if (mfn.value() % 2 == 0) {
      frames->free(mfn, 0, Taint::used);
    }
  }
  while (frames->scrub_some(0)) {
  }
  EXPECT_EQ(frames->counts().dirty, 0U);
  EXPECT_TRUE(frames->alloc(order_2m).has_value());
}

TEST_F(FramesTest, AbandonedScrubIsDoneAgain) {
  init(16);
  const Result<Mfn> mfn = frames->alloc(order_2m);
  dirty(*mfn, order_2m);
  frames->free(*mfn, order_2m, Taint::used);
  EXPECT_TRUE(frames->scrub_some(0));
  frames->abandon_scrub(0);
  while (frames->scrub_some(1)) {
  }
  EXPECT_TRUE(is_zero(*mfn, order_2m));
  EXPECT_EQ(frames->counts().dirty, 0U);
}

TEST_F(FramesTest, FreeingTwiceStopsTheMachine) {
  init(16);
  const Result<Mfn> page = frames->alloc(0);
  const Result<Mfn> large = frames->alloc(order_2m);
  frames->free(*page, 0, Taint::used);
  frames->free(*large, order_2m, Taint::used);
  EXPECT_DEATH(frames->free(*page, 0, Taint::used), "");
  EXPECT_DEATH(frames->free(*large, order_2m, Taint::used), "");
}

TEST_F(FramesTest, CountsHoldThroughARandomLife) {
  init(32);  // small, so that scattered frames get many enough to be offered
  std::mt19937_64 random(3);
  std::vector<std::pair<Mfn, unsigned>> held;
  const auto whole = frames->counts();
  for (int step = 0; step < 4000; ++step) {
    if (random() % 2 == 0) {
      const unsigned order = std::array{0U, 1U, 3U, 6U, 9U}[random() % 5];
      if (const Result<Mfn> mfn = frames->alloc(order)) {
        ASSERT_TRUE(is_zero(*mfn, order));
        dirty(*mfn, order > 3 ? 3 : order);
        held.emplace_back(*mfn, order);
      }
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      frames->free(
          held.back().first, held.back().second,
          held.back().second == order_2m && random() % 2 == 0 ? Taint::untouched : Taint::used);
      held.pop_back();
    }
    if (random() % 64 == 0) {
      std::array<xl::abi::ExtentRecord, 4> records{};
      const unsigned count = frames->take_freed(records.data(), records.size());
      for (unsigned i = 0; i < count; ++i) {  // the host punches holes
        std::memset(platform->frame(Mfn(records[i].mfn)), 0, records[i].pages * 4096);
      }
      frames->return_freed();
    }
    frames->scrub_some(static_cast<unsigned>(random() % 2));
    const auto now = frames->counts();
    std::uint64_t out = 0;
    for (const auto& [mfn, order] : held) {
      out += 1ULL << order;
    }
    ASSERT_EQ(now.free() + out, whole.total);
    ASSERT_LE(now.offerable(), now.free());
  }
}

}  // namespace
}  // namespace hyp::test
