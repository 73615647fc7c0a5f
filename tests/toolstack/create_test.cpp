// SPDX-License-Identifier: Apache-2.0
// Creating domains: what is there afterwards, and that nothing is when it fails, wherever it fails.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::toolstack {
namespace {

using fixture::ToolstackTest;
using hv::fake::Call;
using hv::fake::Usage;

class Create : public ToolstackTest {};

TEST_F(Create, MakesADomainThatRuns) {
  const auto created = toolstack().create_domain(config(), {}, {});
  ASSERT_TRUE(created) << describe(created.error());
  EXPECT_EQ(created->name, "guest");
  EXPECT_FALSE(created->phases.empty());
  EXPECT_TRUE(wait_for(LifecycleEvent::Kind::created, created->id));
  EXPECT_TRUE(wait_for(LifecycleEvent::Kind::unpaused, created->id));
  const auto info = fake().domain_info(created->id);
  ASSERT_TRUE(info);
  EXPECT_FALSE(info->paused);
  EXPECT_EQ(names(), std::vector<std::string>{"guest"});
  EXPECT_EQ(*toolstack().find("guest"), created->id);
  EXPECT_EQ(*toolstack().find(std::to_string(created->id.value())), created->id);
}

TEST_F(Create, LeavesADomainPausedThatWasToBePaused) {
  const DomId id = create(config(), {.paused = true});
  EXPECT_TRUE(fake().domain_info(id)->paused);
  ASSERT_TRUE(toolstack().unpause(id));
  EXPECT_FALSE(fake().domain_info(id)->paused);
}

TEST_F(Create, DrawsAUuidAndKeepsAGivenOne) {
  const DomId first = create("first");
  const DomId second = create("second");
  const auto drawn = toolstack().config_of(first)->uuid;
  ASSERT_TRUE(drawn);
  EXPECT_NE(drawn, toolstack().config_of(second)->uuid);
  EXPECT_EQ(fake().domain_options(first)->handle, drawn->octets());

  config::DomainConfig third = config("third");
  third.uuid = *config::Uuid::parse("c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5f");
  EXPECT_EQ(toolstack().config_of(create(third))->uuid, third.uuid);
}

TEST_F(Create, RefusesATakenNameAndNamesItsDomain) {
  const DomId id = create();
  const auto again = toolstack().create_domain(config(), {}, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::already_exists);
  EXPECT_NE(describe(again.error()).find("domain " + std::to_string(id.value())), std::string::npos)
      << describe(again.error());
}

TEST_F(Create, RefusesATakenUuid) {
  config::DomainConfig twin = config("twin");
  twin.uuid = toolstack().config_of(create())->uuid;
  const auto refused = toolstack().create_domain(twin, {}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::already_exists);
  EXPECT_NE(refused.error().message.find("UUID"), std::string::npos);
}

TEST_F(Create, NamesTheFileThatIsMissing) {
  config::DomainConfig wrong = config();
  wrong.kernel = "no-such-kernel";
  const auto refused = toolstack().create_domain(wrong, {.working_directory = directory()}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  EXPECT_NE(describe(refused.error()).find(directory() + "/no-such-kernel"), std::string::npos)
      << describe(refused.error());
  EXPECT_EQ(starts(), 0U) << "a create that cannot work starts no hypervisor";
  wrong.kernel = config().kernel;
  create(wrong);
}

// The heart of "no half-made domain": a create that fails at its n-th request, for each n there is.
TEST_F(Create, UndoesEverythingWhereverItFails) {
  create("witness");
  const Usage before = fake().usage();
  fake().clear_history();
  const DomId whole = create("counted");
  const std::uint64_t calls = fake().calls();
  ASSERT_TRUE(toolstack().destroy(whole));
  ASSERT_GT(calls, 10U);
  for (std::uint64_t call = 1; call <= calls; ++call) {
    fake().clear_history();
    fake().fail_call(call);
    const auto failed = toolstack().create_domain(config(), {}, {});
    const auto history = fake().history();
    const bool was_notification =
        std::any_of(history.begin(), history.end(), [](const hv::fake::CallRecord& record) {
          return record.failed && record.call == Call::event_notify;
        });
    if (was_notification) {  // the event thread's: no part of the create
      ASSERT_TRUE(failed);
      ASSERT_TRUE(toolstack().destroy(failed->id));
      continue;
    }
    ASSERT_FALSE(failed) << "call " << call;
    EXPECT_EQ(failed.error().code, ErrorCode::no_memory) << describe(failed.error());
    EXPECT_EQ(fake().usage(), before) << "call " << call;
    EXPECT_EQ(names(), std::vector<std::string>{"witness"}) << "call " << call;
    EXPECT_FALSE(toolstack().find("guest"));
    EXPECT_TRUE(log_files().empty());
  }
  fake().clear_faults();
  create();  // the name is free
}

TEST_F(Create, UndoesEverythingWhereverItIsCancelled) {
  create("witness");
  const Usage before = fake().usage();
  fake().clear_history();
  const DomId whole = create("counted");
  const std::uint64_t calls = fake().calls();
  ASSERT_TRUE(toolstack().destroy(whole));
  unsigned cancelled = 0;
  for (std::uint64_t call = 1; call < calls; ++call) {
    std::stop_source stop;
    std::atomic<std::uint64_t> seen{0};
    fake().set_hook([&](const hv::fake::CallRecord& record) {
      if (record.call != Call::take_events && ++seen == call) {
        stop.request_stop();
      }
    });
    const auto result = toolstack().create_domain(config(), {}, stop.get_token());
    fake().set_hook({});
    if (result) {  // too late: it was done
      ASSERT_TRUE(toolstack().destroy(result->id));
    } else {
      ++cancelled;
      EXPECT_EQ(result.error().code, ErrorCode::interrupted) << describe(result.error());
    }
    EXPECT_EQ(fake().usage(), before) << "call " << call;
  }
  EXPECT_GT(cancelled, calls / 2);
}

TEST_F(Create, OfOneNameSucceedsOnceHoweverManyTry) {
  constexpr unsigned tries = 8;
  std::atomic<unsigned> successes{0};
  std::atomic<unsigned> refusals{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < tries; ++i) {
    threads.emplace_back([&] {
      const auto created = toolstack().create_domain(config(), {}, {});
      if (created) {
        ++successes;
      } else if (created.error().code == ErrorCode::already_exists) {
        ++refusals;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(successes, 1U);
  EXPECT_EQ(refusals, tries - 1);
  EXPECT_EQ(fake().usage().domains, 1U);
  EXPECT_EQ(starts(), 1U) << "one hypervisor, however many creates need it at once";
}

TEST_F(Create, RunsInParallel) {
  constexpr unsigned count = 16;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i) {
    threads.emplace_back([this, i] { create("guest" + std::to_string(i)); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const auto all = names();
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), count);
  for (const std::string& name : all) {
    EXPECT_TRUE(toolstack().destroy(*toolstack().find(name)));
  }
  EXPECT_EQ(fake().usage(), Usage{});
}

TEST_F(Create, ReportsAHypervisorThatDoesNotStartAndTriesAgain) {
  start_result_ = fail(ErrorCode::io, "no qemu here");
  const auto failed = toolstack().create_domain(config(), {}, {});
  ASSERT_FALSE(failed);
  EXPECT_NE(describe(failed.error()).find("no qemu here"), std::string::npos);
  start_result_ = {};
  create();
}

TEST_F(Create, ChecksWithoutAHypervisor) {
  const auto layout = toolstack().check_domain(config(), {});
  ASSERT_TRUE(layout) << describe(layout.error());
  EXPECT_FALSE(layout->empty());
  EXPECT_EQ(starts(), 0U);
  EXPECT_FALSE(toolstack().hypervisor_running());
}

}  // namespace
}  // namespace xl::toolstack
