// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/log_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

namespace xl::console {
namespace {

class LogFileOf : public ::testing::Test {
 protected:
  LogFileOf() {
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-log-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LogFileOf() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  static Result<void> append(LogFile& log, const std::string& text) {
    XL_TRY(log.make_room(text.size()));
    return log.append(std::as_bytes(std::span(text)));
  }
  static std::string content(const LogFile& log) {
    std::ifstream file(log.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string directory_;
};

TEST_F(LogFileOf, ADomainAppearsWithItsFirstByteAndGrows) {
  LogFile log(directory_ + "/guest.log", 1000);
  EXPECT_FALSE(std::filesystem::exists(log.path()));
  ASSERT_TRUE(append(log, "one\n"));
  ASSERT_TRUE(append(log, "two\n"));
  EXPECT_EQ(content(log), "one\ntwo\n");
  const auto mode = std::filesystem::status(log.path()).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(LogFileOf, AChattyDomainStaysWithinItsLimitAndKeepsWholeLines) {
  LogFile log(directory_ + "/guest.log", 1000);
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    last = "line " + std::to_string(i) + '\n';
    ASSERT_TRUE(append(log, last));
    EXPECT_LE(std::filesystem::file_size(log.path()), 1000U);
  }
  EXPECT_TRUE(content(log).starts_with("line "));
  EXPECT_TRUE(content(log).ends_with(last));
  EXPECT_GE(content(log).size(), 400U);
  EXPECT_FALSE(std::filesystem::exists(log.path() + ".new"));
}

TEST_F(LogFileOf, ADomainWithoutAPathIsNotKept) {
  LogFile log("", 1000);
  EXPECT_TRUE(append(log, "x"));
}

TEST_F(LogFileOf, AnErrorNamesThePath) {
  LogFile log(directory_ + "/missing/guest.log", 1000);
  const auto result = append(log, "x");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find(log.path()), std::string::npos);
}

TEST_F(LogFileOf, ASymbolicLinkIsNotFollowed) {
  LogFile log(directory_ + "/guest.log", 1000);
  std::filesystem::create_symlink(directory_ + "/elsewhere", log.path());
  EXPECT_FALSE(append(log, "x"));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/elsewhere"));
}

TEST_F(LogFileOf, ADomainLosesWhatIsBeyondACut) {
  LogFile log(directory_ + "/guest.log", 1000);
  ASSERT_TRUE(append(log, "counted\nnot counted\n"));
  ASSERT_TRUE(log.cut_to(8));
  EXPECT_EQ(content(log), "counted\n");
  ASSERT_TRUE(log.cut_to(100)) << "nothing is beyond";
  EXPECT_EQ(content(log), "counted\n");
}

}  // namespace
}  // namespace xl::console
