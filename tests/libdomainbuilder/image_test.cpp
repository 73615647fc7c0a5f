// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/image.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <barrier>
#include <filesystem>
#include <thread>

#include "libdomainbuilder/image/image_cache.hpp"
#include "tests/libdomainbuilder/fixtures/images.hpp"
#include "tests/libdomainbuilder/fixtures/temp_dir.hpp"

namespace xl::build {
namespace {

using namespace fixture;

TEST(ImageTest, ZeroPagesAreNotCopied) {
  const TempDir directory;
  const auto image = load_image(directory.write("k", pvh_kernel()));
  ASSERT_TRUE(image) << describe(image.error());
  const auto runs = (*image)->runs();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].start, GuestPhys(0x100000));
  EXPECT_EQ(runs[0].bytes.size(), 2u * 4096);
  EXPECT_EQ(runs[1].start, GuestPhys(0x103000));
  EXPECT_EQ(runs[1].bytes.size(), 4096u);
  EXPECT_EQ(runs[1].bytes[0], std::byte{0x90});
  EXPECT_EQ((*image)->resident(), Bytes(3 * 4096));
  ASSERT_EQ((*image)->segments().size(), 1u);
  EXPECT_EQ((*image)->segments()[0].memory_size, Bytes(5 * 4096));
}

// Runs are cut at guest pages, wherever in the page the segment starts.
TEST(ImageTest, UnalignedSegments) {
  const TempDir directory;
  ElfSpec spec = pvh_spec();
  Blob data(3 * 4096);
  data[0] = std::byte{1};
  data[4096] = std::byte{2};  // 0x200e00 + 0x1000: in the page 0x201000
  spec.loads.push_back({0x200e00, data});
  const auto image = load_image(directory.write("k", make_elf(spec)));
  ASSERT_TRUE(image);
  const LoadRun& run = (*image)->runs().back();
  EXPECT_EQ(run.start, GuestPhys(0x200e00));
  EXPECT_EQ(run.bytes.size(), 0x200u + 0x1000);
}

TEST(ImageTest, FilesThatCannotBeRead) {
  const TempDir directory;
  EXPECT_EQ(load_image(directory.path("none")).error().code, ErrorCode::not_found);
  const auto of_directory = load_image(directory.path("."));
  EXPECT_EQ(of_directory.error().code, ErrorCode::invalid_image);
  EXPECT_NE(of_directory.error().message.find("is a directory, not a kernel"), std::string::npos);
  ASSERT_EQ(::mkfifo(directory.path("fifo").c_str(), 0600), 0);
  EXPECT_NE(load_image(directory.path("fifo")).error().message.find("not a regular file"),
            std::string::npos);
  std::filesystem::resize_file(directory.write("huge", pvh_kernel()), 1ULL << 40);
  EXPECT_NE(load_image(directory.path("huge")).error().message.find("more than a kernel can be"),
            std::string::npos);
}

// A disk image of a terabyte: its first bytes are enough to say no.
TEST(ImageTest, NoMoreIsReadThanNeeded) {
  const TempDir directory;
  std::filesystem::resize_file(directory.write("disk", {}), 1ULL << 40);
  const auto report = inspect(directory.path("disk"));
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_EQ(report->file_size, Bytes(1ULL << 40));
  EXPECT_NE(report->problems[0].find("is neither an ELF file nor a bzImage"), std::string::npos);
}

TEST(ImageTest, InspectReportsWhatLoadRefuses) {
  const TempDir directory;
  const auto report = inspect(directory.write("k", to_blob("hello")));
  ASSERT_TRUE(report);
  ASSERT_EQ(report->problems.size(), 1u);
  EXPECT_NE(report->problems[0].find("is a text file"), std::string::npos);
  EXPECT_EQ(inspect(directory.path("none")).error().code, ErrorCode::not_found);
}

class ImageCacheTest : public testing::Test {
 protected:
  std::string kernel(const std::string& name) { return directory_.write(name, pvh_kernel()); }
  TempDir directory_;
};

TEST_F(ImageCacheTest, SecondGetIsTheSameImage) {
  ImageCache cache(mib(1));
  const std::string path = kernel("a");
  const auto first = cache.get(path);
  const auto second = cache.get(path);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->get(), second->get());
  EXPECT_EQ(cache.statistics().hits, 1u);
  EXPECT_EQ(cache.statistics().misses, 1u);
  EXPECT_EQ(cache.statistics().resident, Bytes(3 * 4096));
}

TEST_F(ImageCacheTest, ANewFileUnderTheOldNameIsRead) {
  ImageCache cache(mib(1));
  const auto first = cache.get(kernel("a"));
  std::filesystem::rename(directory_.write("b", pvh_kernel(32)), directory_.path("a"));
  const auto second = cache.get(directory_.path("a"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*second)->report().elf_class, 32);
  EXPECT_EQ((*first)->report().elf_class, 64);  // who has it keeps it
}

TEST_F(ImageCacheTest, TheLeastRecentlyUsedGoes) {
  ImageCache cache(Bytes(2 * 3 * 4096));
  const std::string a = kernel("a"), b = kernel("b"), c = kernel("c");
  ASSERT_TRUE(cache.get(a));
  ASSERT_TRUE(cache.get(b));
  ASSERT_TRUE(cache.get(a));
  ASSERT_TRUE(cache.get(c));  // b goes
  EXPECT_EQ(cache.statistics().evictions, 1u);
  EXPECT_EQ(cache.statistics().images, 2u);
  ASSERT_TRUE(cache.get(a));
  EXPECT_EQ(cache.statistics().misses, 3u);
  ASSERT_TRUE(cache.get(b));
  EXPECT_EQ(cache.statistics().misses, 4u);
}

TEST_F(ImageCacheTest, TooLargeIsHandedOutAndNotKept) {
  ImageCache cache(Bytes(4096));
  ASSERT_TRUE(cache.get(kernel("a")));
  EXPECT_EQ(cache.statistics().images, 0u);
  EXPECT_EQ(cache.statistics().resident, Bytes(0));
}

TEST_F(ImageCacheTest, FailuresAreNotKept) {
  ImageCache cache(mib(1));
  directory_.write("a", to_blob("text"));
  EXPECT_FALSE(cache.get(directory_.path("a")));
  EXPECT_TRUE(cache.get(kernel("a")));
}

TEST_F(ImageCacheTest, ClearLetsGo) {
  ImageCache cache(mib(1));
  const auto kept = cache.get(kernel("a"));
  cache.clear();
  EXPECT_EQ(cache.statistics().images, 0u);
  EXPECT_EQ(cache.statistics().resident, Bytes(0));
  EXPECT_EQ((*kept)->runs()[0].bytes[0], std::byte{0x90});
}

TEST_F(ImageCacheTest, ManyAtOnceDecompressOnce) {
  ImageCache cache(mib(64));
  ElfSpec spec = pvh_spec();
  spec.loads.push_back({0x1000000, Blob(16 << 20, std::byte{7})});
  const std::string path = directory_.write(
      "big", make_bzimage({.payload = make_payload(Compression::gzip, make_elf(spec))}));
  constexpr int count = 8;
  std::vector<const Image*> seen(count);
  std::barrier start(count);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        const auto image = cache.get(path);
        seen[static_cast<std::size_t>(i)] = image ? image->get() : nullptr;
      });
    }
  }
  EXPECT_NE(seen[0], nullptr);
  for (const Image* image : seen) {
    EXPECT_EQ(image, seen[0]);
  }
  EXPECT_EQ(cache.statistics().misses, 1u);
  EXPECT_EQ(cache.statistics().hits, static_cast<std::uint64_t>(count - 1));
}

}  // namespace
}  // namespace xl::build
