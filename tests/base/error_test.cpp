// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace xl {
namespace {

TEST(Error, DescribesRootCauseThenPathThenCure) {
  Error error = Error{ErrorCode::no_memory, "no frames left", "use a smaller memory="}
                    .while_doing("populating 512 MiB")
                    .while_doing("creating domain 'a'");
  EXPECT_EQ(describe(error),
            "no frames left (while populating 512 MiB, while creating domain 'a'); "
            "use a smaller memory=");
}

TEST(Error, SystemErrorsKeepTheirMeaning) {
  EXPECT_EQ(system_error(ENOENT, "open 'x'").code, ErrorCode::not_found);
  EXPECT_EQ(system_error(EACCES, "open 'x'").code, ErrorCode::permission_denied);
  EXPECT_EQ(system_error(EIO, "read 'x'").message, "read 'x': Input/output error");
}

}  // namespace
}  // namespace xl
