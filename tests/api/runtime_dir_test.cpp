// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/runtime_dir.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "libxl++/api/unix_socket.hpp"

namespace xl::api {
namespace {

namespace fs = std::filesystem;

class RuntimeDirTest : public ::testing::Test {
 protected:
  RuntimeDirTest() {
    std::string pattern = (fs::temp_directory_path() / "xl-api-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~RuntimeDirTest() override {
    ::unsetenv("XL_RUNTIME_DIR");
    fs::remove_all(root_);
  }
  std::string root_;
};

TEST_F(RuntimeDirTest, TheVariableDecides) {
  ::setenv("XL_RUNTIME_DIR", "/some/where//", 1);
  EXPECT_EQ(RuntimeDir::from_environment()->path(), "/some/where");
  ::setenv("XL_RUNTIME_DIR", "here", 1);
  EXPECT_EQ(RuntimeDir::from_environment()->path(), fs::current_path().string() + "/here");
  ::setenv("XL_RUNTIME_DIR", std::string(5000, 'x').c_str(), 1);
  EXPECT_EQ(RuntimeDir::from_environment().error().code, ErrorCode::invalid_argument);
}

TEST_F(RuntimeDirTest, IsMadePrivateWithItsParents) {
  const RuntimeDir dir(root_ + "/a/b");
  ASSERT_TRUE(dir.make());
  ASSERT_TRUE(dir.make());
  struct stat status {};
  ASSERT_EQ(::stat(dir.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(RuntimeDirTest, WhatOthersMayWriteToIsRefused) {
  fs::permissions(root_, fs::perms::group_write, fs::perm_options::add);
  EXPECT_EQ(RuntimeDir(root_).make().error().code, ErrorCode::permission_denied);
}

TEST_F(RuntimeDirTest, WhatBelongsToOthersIsRefused) {
  if (::geteuid() != 0) {
    EXPECT_EQ(RuntimeDir("/usr").make().error().code, ErrorCode::permission_denied);
    return;
  }
  ASSERT_EQ(::chown(root_.c_str(), 12345, 12345), 0);
  EXPECT_EQ(RuntimeDir(root_).make().error().code, ErrorCode::permission_denied);
}

TEST_F(RuntimeDirTest, AFileIsNotADirectory) {
  ASSERT_TRUE(listen_unix(root_ + "/file"));
  EXPECT_EQ(RuntimeDir(root_ + "/file").make().error().code, ErrorCode::invalid_argument);
}

void expect_private_socket(const std::string& path) {
  const Result<UniqueFd> listener = listen_unix(path);
  ASSERT_TRUE(listener) << describe(listener.error());
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_FALSE(fs::exists(path + ".new"));
  const Result<UniqueFd> connection = connect_unix(path);
  EXPECT_TRUE(connection) << describe(connection.error());
}

TEST_F(RuntimeDirTest, SocketsArePrivateAtAnyLengthOfPath) {
  expect_private_socket(root_ + "/s");
  expect_private_socket(root_ + "/s");  // a stale one is replaced
  const std::string deep = root_ + "/" + std::string(100, 'd') + "/" + std::string(100, 'e');
  fs::create_directories(deep);
  expect_private_socket(deep + "/s");
}

TEST_F(RuntimeDirTest, NobodyListeningIsNotFound) {
  EXPECT_EQ(connect_unix(root_ + "/none").error().code, ErrorCode::not_found);
  ASSERT_TRUE(listen_unix(root_ + "/dead"));  // and closed at once
  EXPECT_EQ(connect_unix(root_ + "/dead").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace xl::api
