// SPDX-License-Identifier: Apache-2.0
// Clients that do not behave: what they get, and that others do not notice.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>

#include "tests/api/server_fixture.hpp"

namespace xl::api::fixture {
namespace {

using namespace std::chrono_literals;

std::string status_line(const std::string& response) {
  return response.substr(0, response.find("\r\n"));
}

class HostileTest : public ServerTest {
 protected:
  std::string send(std::string_view bytes) {
    const UniqueFd fd = raw();
    write_all(fd.get(), bytes);
    ::shutdown(fd.get(), SHUT_WR);
    return status_line(read_to_end(fd.get()));
  }
  ~HostileTest() override {
    if (server_) {
      EXPECT_TRUE(client().list()) << "the server must have stayed well";
    }
  }
};

TEST_F(HostileTest, MalformedRequests) {
  serve();
  EXPECT_EQ(send("garbage\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(send("GET / HTTP/9.9\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(send("GET v1 HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(send("GET /v1/%zz HTTP/1.1\r\nConnection: close\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(send("GET /v1/domains HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(send("GET /v1/domains HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(send("POST /v1/domains HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(send(std::string("\0\0\0\0\r\n\r\n", 8)), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(send("GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n"), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(send("PUT /v1/domains HTTP/1.1\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 405 Method Not Allowed");
}

TEST_F(HostileTest, MalformedBodies) {
  serve();
  for (const std::string body : {"", "{", "[]", "null", "{\"config\":{}}", "\xff"}) {
    EXPECT_EQ(send("POST /v1/domains HTTP/1.1\r\nConnection: close\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body),
              "HTTP/1.1 400 Bad Request")
        << body;
  }
}

TEST_F(HostileTest, OversizedHeadAndBody) {
  serve();
  EXPECT_EQ(send("GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(send("POST /v1/domains HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n" +
                 std::string(20'000'000, 'x')),
            "HTTP/1.1 413 Payload Too Large");
  std::string chunked = "POST /v1/domains HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int chunk = 0; chunk < 10; ++chunk) {
    chunked += "100000\r\n" + std::string(0x100000, 'x') + "\r\n";
  }
  EXPECT_EQ(send(chunked), "HTTP/1.1 413 Payload Too Large");
}

TEST_F(HostileTest, TheClientHearsWhyItsBodyWasRefused) {
  serve();
  Client xl = client();
  CreateRequest huge = request("huge");
  huge.config_text.append(20'000'000, '#');
  const auto created = xl.create(huge);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().error.code, ErrorCode::limit);
}

TEST_F(HostileTest, SlowRequestsAreCutOff) {
  ServerLimits limits;
  limits.request_time = 100ms;
  serve(limits);
  const UniqueFd silent = raw();
  const UniqueFd half = raw();
  write_all(half.get(), "POST /v1/domains HTTP/1.1\r\nContent-Length: 10\r\n\r\n{");
  EXPECT_EQ(status_line(read_to_end(half.get())), "HTTP/1.1 408 Request Timeout");
  EXPECT_EQ(read_to_end(silent.get()), "") << "who has asked nothing gets no answer";
}

TEST_F(HostileTest, DroppedConnectionsAreForgotten) {
  serve();
  for (const std::string_view part :
       {"", "G", "GET /v1/domains HTTP/1.1\r\n", "GET /v1/events HTTP/1.1\r\n\r\n",
        "GET /v1/domains HTTP/1.1\r\n\r\n",
        "POST /v1/domains HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
        "GET /v1/domains/x/console HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: "
        "xl-console\r\n\r\n"}) {
    for (int round = 0; round < 20; ++round) {
      write_all(raw().get(), part);
    }
  }
  while (server_->connections() > 0) {
    std::this_thread::yield();
  }
}

TEST_F(HostileTest, AThousandAtOnce) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_GE(limit.rlim_cur, 2200U);
  serve();
  std::vector<UniqueFd> fds;
  for (int index = 0; index < 1000; ++index) {
    fds.push_back(raw());
    write_all(fds.back().get(), "GET /v1/domains HTTP/1.1\r\nConnection: close\r\n\r\n");
  }
  for (const UniqueFd& fd : fds) {
    ASSERT_EQ(status_line(read_to_end(fd.get())), "HTTP/1.1 200 OK");
  }
}

TEST_F(HostileTest, OneTooManyIsToldSo) {
  ServerLimits limits;
  limits.connections = 3;
  serve(limits);
  std::array<UniqueFd, 3> fds = {raw(), raw(), raw()};
  while (server_->connections() < 3) {
    std::this_thread::yield();
  }
  EXPECT_EQ(status_line(read_to_end(raw().get())), "HTTP/1.1 503 Service Unavailable");
  fds[0].reset();
  while (server_->connections() > 2) {
    std::this_thread::yield();
  }
}

TEST_F(HostileTest, AConsoleReaderThatSleepsHoldsNobodyUp) {
  ServerLimits limits;
  limits.stream_backlog = 64 * 1024;
  serve(limits);
  Client xl = client();
  const DomId id(make(xl, "guest").domid);
  const auto sleeper = xl.attach_console("guest");
  const auto reader = xl.attach_console("guest");
  ASSERT_TRUE(sleeper && reader);
  const std::string line = std::string(1022, 'x') + "\r\n";
  for (int count = 0; count < 1000; ++count) {
    guest_prints(id, line);
    ASSERT_EQ(read_until(reader->fd.get(), "\r\n").size(), line.size());
  }
  EXPECT_NE(read_until(sleeper->fd.get(), "bytes skipped").find("bytes skipped"),
            std::string::npos);
}

}  // namespace
}  // namespace xl::api::fixture
