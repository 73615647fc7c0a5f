// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/request.hpp"

#include <gtest/gtest.h>

#include "libxl++/api/http_client.hpp"
#include "libxl++/api/routes.hpp"

namespace xl::api {
namespace {

TEST(Target, IsSplitThenDecoded) {
  const Result<Target> target = parse_target("/v1/domains/a%2Fb%20c?from=1&x&y=%3d");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "domains", "a/b c"}));
  EXPECT_EQ(target->query,
            (std::map<std::string, std::string>{{"from", "1"}, {"x", ""}, {"y", "="}}));
}

TEST(Target, BrokenOnesAreRefused) {
  for (const char* text : {"", "v1", "*", "http://xld/v1", "/%", "/%4", "/%zz", "/%ff", "/a%00b"}) {
    const Result<Target> target = parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code, ErrorCode::protocol);
  }
}

TEST(Target, WhatTheClientEncodesIsWhatTheServerReads) {
  for (const std::string name : {"guest", "a b", "a/b", "..", ".", "100%", "\xc3\xa4?&=#+"}) {
    const Result<Target> target = parse_target("/v1/domains/" + percent_encode(name));
    ASSERT_TRUE(target) << name;
    EXPECT_EQ(target->segments.back(), name);
  }
}

Request request(std::string_view method, std::string_view target) {
  Request made;
  made.method = method;
  Result<Target> parsed = parse_target(target);
  EXPECT_TRUE(parsed) << target;
  made.target = std::move(parsed).value();
  return made;
}

TEST(Routes, CaptureTheDomain) {
  Request pause = request("POST", "/v1/domains/guest/pause");
  const auto found = find_route(pause);
  ASSERT_TRUE(std::holds_alternative<const Route*>(found));
  EXPECT_EQ(std::get<const Route*>(found)->pattern, "/v1/domains/{}/pause");
  EXPECT_EQ(pause.captured, std::vector<std::string>{"guest"});
}

TEST(Routes, EveryRouteIsFoundByItsOwnPath) {
  for (const Route& route : routes()) {
    Request asked = request(route.method, route.pattern);
    const auto found = find_route(asked);
    ASSERT_TRUE(std::holds_alternative<const Route*>(found)) << route.pattern;
    EXPECT_EQ(std::get<const Route*>(found), &route);
  }
}

TEST(Routes, UnknownPathsAndMethodsAreToldApart) {
  for (const char* path : {"/", "/v1", "/v1/", "/v1/domains/", "/v1/domains/a/", "/v2/domains",
                           "/v1/domains/a/b", "/v1/domains/a/pause/b"}) {
    Request asked = request("POST", path);
    const auto found = find_route(asked);
    const bool is_domain = std::string_view(path) == "/v1/domains/";  // an empty name, wrong method
    ASSERT_TRUE(std::holds_alternative<Reply>(found)) << path;
    EXPECT_EQ(std::get<Reply>(found).status, is_domain ? 405 : 404) << path;
  }
}

TEST(Status, EveryErrorHasOne) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    const int status = http_status(static_cast<ErrorCode>(code));
    EXPECT_GE(status, 400);
    EXPECT_LT(status, 600);
  }
}

}  // namespace
}  // namespace xl::api
