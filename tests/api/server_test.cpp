// SPDX-License-Identifier: Apache-2.0
// What the API does, end to end: client, socket, server, Toolstack, fake hypervisor.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

#include "tests/api/server_fixture.hpp"

namespace xl::api::fixture {
namespace {

using toolstack::LifecycleEvent;

// The next event of a kind on the stream.
std::optional<EventView> next_event(LineStream& events, const std::string& kind) {
  while (true) {
    const auto line = events.take_line();
    if (!line) {
      return std::nullopt;
    }
    if (*line) {
      const Result<EventView> event = parse_event(**line);
      EXPECT_TRUE(event) << **line;
      if (event && event->event == kind) {
        return *event;
      }
    } else if (const auto more = events.fill(); !more || !*more) {
      return std::nullopt;
    }
  }
}

TEST_F(ServerTest, ADomainsLife) {
  serve();
  Client xl = client();
  const CreatedView created = make(xl, "guest");
  EXPECT_EQ(created.name, "guest");
  EXPECT_FALSE(created.phases.empty());

  auto domains = xl.list();
  ASSERT_TRUE(domains);
  ASSERT_EQ(domains->size(), 2U);
  EXPECT_EQ((*domains)[0].name, "Domain-0");
  EXPECT_EQ((*domains)[1].domid, created.domid);
  EXPECT_GE((*domains)[1].memory_kib, 8U * 1024);

  ASSERT_TRUE(xl.pause("guest"));
  EXPECT_TRUE(xl.find("guest")->paused);
  ASSERT_TRUE(xl.unpause(std::to_string(created.domid)));
  EXPECT_FALSE(xl.find("guest")->paused);
  ASSERT_TRUE(xl.rename("guest", "other name"));
  EXPECT_EQ(xl.find("other name")->domid, created.domid);
  const auto json = xl.libxl_json("other name");
  ASSERT_TRUE(json);
  EXPECT_NE(json->find("\"c_info\""), std::string::npos);
  EXPECT_EQ(json->find("Domain-0"), std::string::npos);

  ASSERT_TRUE(xl.destroy("other name"));
  const auto gone = xl.find("other name");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().error.code, ErrorCode::not_found);
  EXPECT_EQ(fake().usage(), hv::fake::Usage{});
}

TEST_F(ServerTest, AWrongConfigComesBackWithItsFindings) {
  serve();
  Client xl = client();
  CreateRequest wrong = request("guest");
  wrong.config_text += "memory = \n";
  const auto created = xl.create(wrong);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().error.code, ErrorCode::invalid_config);
  EXPECT_NE(created.error().rendered.find("guest.cfg:4:"), std::string::npos)
      << created.error().rendered;
  EXPECT_NE(created.error().diagnostics.find("\"line\":4"), std::string::npos);
  EXPECT_EQ(starts(), 0U) << "no hypervisor is needed to refuse a config";
}

TEST_F(ServerTest, AnAnsweredIoErrorIsNoLostDaemon) {
  serve();
  Result<Client> xl = Client::connect(*dir_);
  ASSERT_TRUE(xl);
  make(*xl, "first");
  fake().fail_nth(hv::fake::Call::create_domain, 1, ErrorCode::io);
  const auto created = xl->create(request("second"));
  ASSERT_FALSE(created);
  EXPECT_EQ(id_of(created.error().error), ErrorId::io);
  EXPECT_EQ(created.error().error.message, "injected failure of create_domain");
}

TEST_F(ServerTest, EventsAreAskedOfTheNextDaemon) {
  serve();
  Result<Client> xl = Client::connect(*dir_);
  ASSERT_TRUE(xl);
  stop();
  ASSERT_EQ(::setenv("XLD", "/no/such/xld", 1), 0);
  const auto stream = xl->events();
  ::unsetenv("XLD");
  ASSERT_FALSE(stream);
  EXPECT_NE(stream.error().error.message.find("/no/such/xld"), std::string::npos)
      << "none was started: " << stream.error().error.message;
}

TEST_F(ServerTest, CheckTouchesNothing) {
  serve();
  Client xl = client();
  const auto checked = xl.check(request("guest"));
  ASSERT_TRUE(checked) << checked.error().error.message;
  EXPECT_FALSE(checked->layout.empty());
  EXPECT_EQ(starts(), 0U);
  EXPECT_EQ(xl.list()->size(), 1U);
}

TEST_F(ServerTest, OverridesWinOverTheFile) {
  serve();
  Client xl = client();
  CreateRequest asked = request("guest");
  asked.overrides = {"name=changed"};
  const auto created = xl.create(asked);
  ASSERT_TRUE(created);
  EXPECT_EQ(created->name, "changed");
}

TEST_F(ServerTest, ConsolesReplayAndServeSeveralClients) {
  serve();
  Client xl = client();
  const DomId id(make(xl, "guest").domid);
  guest_prints(id, "before\r\n");
  const auto first = xl.attach_console("guest");
  ASSERT_TRUE(first);
  EXPECT_EQ(read_until(first->fd.get(), "before\r\n", first->early), "before\r\n");
  const auto second = xl.attach_console("guest");
  ASSERT_TRUE(second);
  guest_prints(id, "after\r\n");
  EXPECT_EQ(read_until(first->fd.get(), "after\r\n"), "after\r\n");
  EXPECT_EQ(read_until(second->fd.get(), "after\r\n", second->early), "before\r\nafter\r\n");
  ASSERT_TRUE(xl.destroy("guest"));
  EXPECT_EQ(read_to_end(first->fd.get()), "");
  EXPECT_EQ(read_to_end(second->fd.get()), "");
  const auto none = xl.attach_console("guest");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().error.code, ErrorCode::not_found);
}

TEST_F(ServerTest, AClientThatOnlyListensStaysAttached) {
  serve();
  Client xl = client();
  const DomId id(make(xl, "guest").domid);
  const auto stream = xl.attach_console("guest");
  ASSERT_TRUE(stream);
  ::shutdown(stream->fd.get(), SHUT_WR);
  guest_prints(id, "still here\r\n");
  EXPECT_EQ(read_until(stream->fd.get(), "\r\n", stream->early), "still here\r\n");
}

TEST_F(ServerTest, InputThatTheGuestDoesNotReadIsHeldBack) {
  serve();
  Client xl = client();
  make(xl, "guest");
  {
    const auto stream = xl.attach_console("guest");
    ASSERT_TRUE(stream);
    // More than guest and server take: the sender notices.
    const std::string much(1'000'000, 'x');
    std::size_t sent = 0;
    ssize_t size = 0;
    while (sent < much.size() && (size = ::send(stream->fd.get(), much.data(), much.size() - sent,
                                                MSG_NOSIGNAL | MSG_DONTWAIT)) > 0) {
      sent += static_cast<std::size_t>(size);
    }
    EXPECT_LT(sent, much.size());
    EXPECT_TRUE(client().list()) << "others are served";
  }
  while (server_->connections() > 1) {
    std::this_thread::yield();  // the stream ends with its client all the same
  }
}

TEST_F(ServerTest, EventsTellOfAnEnd) {
  serve();
  Client xl = client();
  auto events = xl.events();
  ASSERT_TRUE(events);
  const DomId id(make(xl, "guest").domid);
  EXPECT_EQ(next_event(*events, "created")->domid, id.value());
  guest_prints(id, "the last words\r\n");
  ASSERT_TRUE(fake().guest_shutdown(id, hv::ShutdownReason::crash));
  const auto ended = next_event(*events, "ended");
  ASSERT_TRUE(ended && ended->end);
  EXPECT_EQ(ended->end->reason, "crash");
  EXPECT_EQ(ended->end->last_console_line, "the last words");
}

TEST_F(ServerTest, AHeldDomainGoesWithItsConnection) {
  serve();
  {
    Client xl = client();
    CreateRequest held = request("held");
    held.hold = true;
    ASSERT_TRUE(xl.create(held));
    EXPECT_TRUE(client().find("held")->paused);
  }
  Client watcher = client();
  EXPECT_TRUE(wait_for(LifecycleEvent::Kind::ended, DomId(1)));
  EXPECT_EQ(watcher.list()->size(), 1U);
}

TEST_F(ServerTest, AHeldDomainThatWasUnpausedStays) {
  serve();
  {
    Client xl = client();
    CreateRequest held = request("held");
    held.hold = true;
    ASSERT_TRUE(xl.create(held));
    ASSERT_TRUE(xl.unpause("held"));
  }
  while (server_->connections() > 0) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(client().find("held"));
}

TEST_F(ServerTest, AClientThatVanishesDuringCreateLeavesNothing) {
  serve();
  Client xl = client();
  make(xl, "warm-up");  // starts the hypervisor
  std::mutex mutex;
  std::condition_variable changed;
  bool reached = false;
  bool go_on = false;
  fake().set_hook([&](const hv::fake::CallRecord& call) {
    if (call.call == hv::fake::Call::populate_physmap) {
      std::unique_lock lock(mutex);
      reached = true;
      changed.notify_all();
      changed.wait(lock, [&] { return go_on; });
    }
  });
  UniqueFd victim = raw();
  const std::string body =
      R"({"config":{"name":"v","text":"name='v'\nmemory=8\nkernel=')" + config().kernel + R"('"}})";
  write_all(victim.get(), "POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body);
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return reached; });
  }
  victim.reset();
  EXPECT_TRUE(xl.daemon());  // the server sees the older news first
  {
    const std::lock_guard lock(mutex);
    go_on = true;
  }
  changed.notify_all();
  stop();  // waits for the create
  EXPECT_EQ(names(), std::vector<std::string>{"warm-up"});
}

TEST_F(ServerTest, StopLeavesDomainsRunning) {
  serve();
  Client xl = client();
  make(xl, "guest");
  ASSERT_TRUE(xl.stop_daemon(false));
  stop();
  EXPECT_EQ(names(), std::vector<std::string>{"guest"});
}

TEST_F(ServerTest, StopWithAllEndsTheDomainsToo) {
  serve();
  Client xl = client();
  make(xl, "guest");
  ASSERT_TRUE(xl.stop_daemon(true));
  stop();
  EXPECT_TRUE(names().empty());
}

TEST_F(ServerTest, StatusStartsNoHypervisor) {
  serve();
  Client xl = client();
  const auto daemon = xl.daemon();
  ASSERT_TRUE(daemon);
  EXPECT_FALSE(daemon->hypervisor_running);
  EXPECT_EQ(daemon->version, "1.2.3");
  EXPECT_EQ(starts(), 0U);
}

TEST_F(ServerTest, ADeadHypervisorIsAnError) {
  serve();
  Client xl = client();
  make(xl, "guest");
  start_result_ = fail(ErrorCode::io, "QEMU does not start");
  fake().die();
  const auto host = xl.host();
  ASSERT_FALSE(host);
  EXPECT_TRUE(host.error().error.code == ErrorCode::hypervisor_gone ||
              host.error().error.code == ErrorCode::io);
}

TEST_F(ServerTest, TheLogIsClearedUpToWhatWasRead) {
  serve();
  Client xl = client();
  ASSERT_TRUE(xl.host());
  fake().append_log("one\n");
  const auto log = xl.hypervisor_log();
  ASSERT_TRUE(log);
  fake().append_log("two\n");
  ASSERT_TRUE(xl.clear_hypervisor_log(log->next));
  EXPECT_EQ(xl.hypervisor_log()->text, "two\n");
}

}  // namespace
}  // namespace xl::api::fixture
