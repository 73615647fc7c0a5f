// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/new_file.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/coredump/output.hpp"

namespace xl::coredump {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class Outputs : public ::testing::Test {
 protected:
  Outputs() {
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-core-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~Outputs() override { std::filesystem::remove_all(directory_); }
  std::string path(const char* name) const { return directory_ + '/' + name; }
  static std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  UniqueFd open_new(const char* name) const {
    return UniqueFd(::open(path(name).c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
  }
  // "begin", a mebibyte of zeros, "end", zeros.
  static void write_sample(Output& out) {
    ASSERT_TRUE(out.write(bytes_of("begin")));
    ASSERT_TRUE(out.zeros(1 << 20));
    ASSERT_TRUE(out.write(bytes_of("end")));
    ASSERT_TRUE(out.zeros(300'000));
    ASSERT_TRUE(out.finish());
  }
  static std::string sample() {
    return "begin" + std::string(1 << 20, '\0') + "end" + std::string(300'000, '\0');
  }
  std::string compress(Compression how) {
    const UniqueFd fd = open_new("packed");
    const auto under = to_descriptor(fd.get());
    const auto out = compressed(how, *under);
    EXPECT_TRUE(out);
    write_sample(**out);
    return content(path("packed"));
  }

  std::string directory_;
};

TEST_F(Outputs, AFileHasHoles) {
  const UniqueFd fd = open_new("sparse");
  write_sample(*to_descriptor(fd.get()));
  EXPECT_EQ(content(path("sparse")), sample());
  struct stat status {};
  ASSERT_EQ(::fstat(fd.get(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, 200'000);
}

TEST_F(Outputs, APipeGetsEveryByte) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  UniqueFd in(ends[0]);
  UniqueFd to(ends[1]);
  std::string got;
  std::thread reader([&] {
    char buffer[65536];
    for (ssize_t count = 0; (count = ::read(in.get(), buffer, sizeof buffer)) > 0;) {
      got.append(buffer, static_cast<std::size_t>(count));
    }
  });
  write_sample(*to_descriptor(to.get()));
  to.reset();
  reader.join();
  EXPECT_EQ(got, sample());
}

TEST_F(Outputs, ZstdUnpacksToTheSame) {
  const std::string packed = compress(Compression::zstd);
  EXPECT_LT(packed.size(), 10'000U);
  std::string unpacked(sample().size() + 1, 'x');
  const std::size_t size =
      ZSTD_decompress(unpacked.data(), unpacked.size(), packed.data(), packed.size());
  ASSERT_EQ(ZSTD_isError(size), 0U);
  unpacked.resize(size);
  EXPECT_EQ(unpacked, sample());
}

TEST_F(Outputs, GzipUnpacksToTheSame) {
  const std::string packed = compress(Compression::gzip);
  EXPECT_LT(packed.size(), 20'000U);
  const gzFile file = ::gzopen(path("packed").c_str(), "rb");
  std::string unpacked(sample().size() + 1, 'x');
  unpacked.resize(static_cast<std::size_t>(
      ::gzread(file, unpacked.data(), static_cast<unsigned>(unpacked.size()))));
  ::gzclose(file);
  EXPECT_EQ(unpacked, sample());
}

TEST_F(Outputs, AFullDiskIsAnError) {
  const UniqueFd full(::open("/dev/full", O_WRONLY));
  const auto out = to_descriptor(full.get());
  const auto written = out->write(bytes_of("x"));
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("No space left"), std::string::npos);
}

TEST_F(Outputs, NamesOfCompressions) {
  EXPECT_EQ(parse_compression("zstd"), Compression::zstd);
  EXPECT_EQ(parse_compression("gzip"), Compression::gzip);
  EXPECT_FALSE(parse_compression("lz4"));
}

TEST_F(Outputs, ANewFileAppearsWhenItIsComplete) {
  std::ofstream(path("core")) << "old";
  {
    auto file = NewFile::create(path("core"));
    ASSERT_TRUE(file);
    ASSERT_EQ(::write(file->fd(), "new", 3), 3);
    EXPECT_EQ(content(path("core")), "old");
    ASSERT_TRUE(file->complete());
  }
  EXPECT_EQ(content(path("core")), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(Outputs, ANewFileThatIsNotCompletedLeavesNothing) {
  {
    const auto file = NewFile::create(path("core"));
    ASSERT_TRUE(file);
    ASSERT_EQ(::write(file->fd(), "half", 4), 4);
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(Outputs, ANewFileNamesAPathThatCannotBe) {
  const auto file = NewFile::create(path("no/such/folder"));
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("no/such/folder"), std::string::npos);
}

}  // namespace
}  // namespace xl::coredump
