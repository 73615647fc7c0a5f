// SPDX-License-Identifier: Apache-2.0
// What the API answers, what a client makes of a daemon that misbehaves, and what the system
// refuses.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/scope_exit.hpp"
#include "libdomainbuilder/image/image_file.hpp"
#include "libxl++/api/handlers.hpp"
#include "libxl++/api/host_config_file.hpp"
#include "libxl++/api/launch.hpp"
#include "libxl++/api/unix_socket.hpp"
#include "libxl++/api/wire_json.hpp"
#include "tests/api/server_fixture.hpp"
#include "tests/errors/goldens.hpp"

namespace xl::api::fixture {
namespace {

using namespace std::chrono_literals;
using errors::Goldens;

class ErrorTextsOfTheApi : public ServerTest {
 protected:
  // The error in the answer to what is sent as it stands.
  Error answer_to(const std::string& request) {
    const UniqueFd connection = raw();
    write_all(connection.get(), request);
    ::shutdown(connection.get(), SHUT_WR);
    return error_in(read_to_end(connection.get()));
  }
  static Error error_in(const std::string& response) {
    const std::size_t body = response.find("\r\n\r\n");
    EXPECT_NE(body, response.npos) << response;
    return error_of({400, body == response.npos ? response : response.substr(body + 4)}).error;
  }
  Error post(const std::string& path, const std::string& body) {
    return answer_to("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  Error get(const std::string& path) {
    return answer_to("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }
};

TEST_F(ErrorTextsOfTheApi, Requests) {
  Goldens golden("requests-wrong");
  serve({.head_bytes = 1000, .body_bytes = 1000});
  golden.add("no HTTP", answer_to("hello\r\n\r\n"));
  golden.add("a long head",
             answer_to("GET / HTTP/1.1\r\nA: " + std::string(2000, 'a') + "\r\n\r\n"));
  golden.add("a long body", post("/v1/domains", std::string(2000, 'a')));
  golden.add("no JSON", post("/v1/domains", "{\"config\":"));
  golden.add("deep JSON", post("/v1/domains", std::string(500, '[')));
  golden.add("no config", post("/v1/domains", "{}"));
  golden.add("no such path", get("/v2/domains"));
  golden.add("no such method", get("/v1/check"));
  golden.add("a broken escape", get("/v1/domains/%zz"));
  golden.add("a path that is no text", get("/v1/domains/%ff"));
  golden.add("no number", get("/v1/events?follow=false&after=x"));
  golden.add("a log without its end", answer_to("DELETE /v1/host/log HTTP/1.1\r\n\r\n"));
  golden.add("no such action", post("/v1/domains/0/shutdown", R"({"action":"dance"})"));
  golden.add("no such letter", post("/v1/domains/0/sysrq", R"({"letter":"hh","timeout_ms":1})"));
  golden.add("an endless wait",
             post("/v1/domains/0/shutdown", R"({"action":"reboot","timeout_ms":99999999999})"));
  golden.add("a path that is not absolute", post("/v1/images/inspect", R"({"path":"k"})"));
  golden.add("no such format",
             post("/v1/convert", R"({"config":{"name":"x","text":""},"to":"toml"})"));
  golden.add("no such device", post("/v1/parse/floppy", R"({"words":["x"]})"));
  golden.add("a core without a descriptor", get("/v1/domains/0/core"));
}

TEST_F(ErrorTextsOfTheApi, Clients) {
  Goldens golden("clients");
  serve({.connections = 1, .request_time = 50ms});
  {
    const UniqueFd slow = raw();
    write_all(slow.get(), "GET /v1/daemon HTT");
    golden.add("a slow request", error_in(read_to_end(slow.get())));
  }
  const UniqueFd first = raw();
  write_all(first.get(), "GET /v1/daemon HTTP/1.1\r\nHost: x\r\n\r\n");
  (void)read_until(first.get(), "}");
  golden.add("one client too many", error_in(read_to_end(raw().get())));
}

TEST_F(ErrorTextsOfTheApi, ADaemonThatEnds) {
  Goldens golden("daemon-ends");
  Service service{toolstack(), {}};
  service.stopping = true;
  Request create;
  const std::string body = dump(to_json(request("late")));
  create.body = body;
  const auto created = create_domain(service, create);
  ASSERT_FALSE(created);
  golden.add("a late create", created.error().error);
}

TEST_F(ErrorTextsOfTheApi, Bugs) {
  Goldens golden("bugs");
  serve();
  Client xl = client();
  make(xl, "guest");
  fake().set_hook([](const hv::fake::CallRecord& call) {
    if (call.call == hv::fake::Call::pause) {
      throw std::bad_alloc();
    }
    if (call.call == hv::fake::Call::host_info) {
      throw std::logic_error("an assumption that does not hold");
    }
  });
  const auto paused = xl.pause("guest");
  ASSERT_FALSE(paused);
  golden.add("no memory", paused.error().error);
  const auto host = xl.host();
  ASSERT_FALSE(host);
  golden.add("an exception", host.error().error);
  fake().set_hook([](const hv::fake::CallRecord&) {});
}

// A daemon that says `answer` to each connection, and hangs up.
TEST_F(ErrorTextsOfTheApi, ADaemonThatMisbehaves) {
  Goldens golden("daemon-answers");
  ASSERT_TRUE(dir_->make());
  const UniqueFd listener = listen_unix(dir_->socket()).value();
  for (const auto& [answer, when] :
       {std::pair{"", "nothing"},
        {"SSH-2.0-x\r\n\r\n", "another protocol"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no length"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no domains"},
        {"HTTP/1.1 500 x\r\nContent-Length: 3\r\n\r\nbad", "an error without a reason"}}) {
    Client xl = client();
    const UniqueFd connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    write_all(connection.get(), answer);
    ::shutdown(connection.get(), SHUT_WR);
    const auto listed = xl.list();
    ASSERT_FALSE(listed);
    golden.add(when, listed.error().error);
  }
}

TEST_F(ErrorTextsOfTheApi, System) {
  Goldens golden("system");
  golden.hide(directory(), "DIR");
  const uid_t user = ::geteuid();
  const uid_t nobody = user == 0 ? 65534 : user;
  golden.hide("user " + std::to_string(nobody), "user UID");
  const std::string secret = write_file("secret", "x");
  ASSERT_EQ(::chmod(secret.c_str(), 0), 0);
  {
    // Root may read everything.
    const ScopeExit again([&] { ASSERT_EQ(::seteuid(user), 0); });
    ASSERT_EQ(::chmod(directory().c_str(), 0755), 0);
    ASSERT_EQ(::seteuid(nobody), 0);
    golden.add("a kernel that may not be read", build::open_file(secret, "a kernel"));
  }
  {
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    const ScopeExit again([&] { ::setrlimit(RLIMIT_NOFILE, &files); });
    const rlimit none{0, files.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    golden.add("no descriptors left", build::open_file(secret, "a kernel"));
    golden.add("none for a socket either", connect_unix("/nowhere"));
  }
  golden.add("more memory than there is", build::ImageBuffer::create(1ULL << 62));
  ::setenv("XL_CONF", (directory() + "/none").c_str(), 1);
  const auto missing = HostConfigFile().read();
  ASSERT_FALSE(missing);
  golden.add("XL_CONF names nothing", missing.error().error);
  ::setenv("XL_CONF", directory().c_str(), 1);
  const auto folder = HostConfigFile().read();
  ASSERT_FALSE(folder);
  golden.add("XL_CONF names a directory", folder.error().error);
  ::unsetenv("XL_CONF");
}

TEST_F(ErrorTextsOfTheApi, Sockets) {
  Goldens golden("sockets");
  golden.hide(std::string(300, 'x'), "x...");
  golden.hide(directory(), "DIR");
  golden.add("nobody listens", connect_unix(directory() + "/none.sock"));
  golden.add("no directory", listen_unix(directory() + "/a/b.sock"));
  golden.add("a file where a directory should be", connect_unix(write_file("file", "x") + "/s"));
  golden.add("a long name", connect_unix(directory() + "/" + std::string(300, 'x')));
  golden.add("a file", RuntimeDir(directory() + "/file").make());
  ASSERT_EQ(::mkdir((directory() + "/open").c_str(), 0700), 0);
  ASSERT_EQ(::chmod((directory() + "/open").c_str(), 0777), 0);
  golden.add("a directory of everybody's", RuntimeDir(directory() + "/open").make());
}

TEST_F(ErrorTextsOfTheApi, SocketsOfOthers) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can become another user";
  }
  Goldens golden("sockets-of-others");
  golden.hide(directory(), "DIR");
  ASSERT_EQ(::chmod(directory().c_str(), 0777), 0);
  const std::string path = directory() + "/theirs.sock";
  ASSERT_EQ(::seteuid(65534), 0);
  const UniqueFd theirs = listen_unix(path).value();
  ASSERT_EQ(::seteuid(0), 0);
  golden.add("another user's socket", connect_unix(path));
}

}  // namespace
}  // namespace xl::api::fixture
