// SPDX-License-Identifier: Apache-2.0
// Core files of domains on the fake.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/unique_fd.hpp"
#include "libxl++/toolstack/dump_files.hpp"
#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::toolstack {
namespace {

using fixture::ToolstackTest;
using hv::fake::Call;
using hv::fake::Usage;
using Kind = LifecycleEvent::Kind;

class Dumps : public ToolstackTest {
 protected:
  Dumps() {
    options_.dump_dir = directory() + "/dump";
    restart_toolstack();
  }
  UniqueFd open_core() const {
    return UniqueFd(::open((directory() + "/core").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600));
  }
  Result<void> dump(DomId id, const DumpOptions& options = {},
                    const Toolstack::DumpProgress& progress = {}, std::stop_token cancel = {}) {
    return toolstack().dump_core(id, open_core().get(), options, progress, cancel);
  }
  std::string core() const {
    std::ifstream in(directory() + "/core", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(options_.dump_dir)) {
      found.push_back(entry.path().filename().string());
    }
    return found;
  }
};

TEST_F(Dumps, HaveWhatIsInMemory) {
  const DomId id = create();
  const std::string_view text = "somewhere in the guest's memory";
  ASSERT_TRUE(fake().guest_write(id, GuestPhys(5 << 20), std::as_bytes(std::span(text))));
  ASSERT_TRUE(dump(id));
  EXPECT_EQ(core().compare(0, 4,
                           "\x7f"
                           "ELF"),
            0);
  EXPECT_GT(core().size(), 8U << 20);
  EXPECT_NE(core().find(text), std::string::npos);
}

TEST_F(Dumps, PauseTheDomainMeanwhileUnlessItIsDumpedLive) {
  const DomId id = create();
  for (const bool live : {false, true}) {
    int calls = 0;
    ASSERT_TRUE(dump(id, {.live = live}, [&](Pages, Pages) {
      ++calls;
      EXPECT_EQ(fake().domain_info(id)->paused, !live);
    }));
    EXPECT_GE(calls, 2);
    EXPECT_FALSE(fake().domain_info(id)->paused);
  }
}

TEST_F(Dumps, APausedDomainStaysPaused) {
  const DomId id = create();
  ASSERT_TRUE(toolstack().pause(id));
  ASSERT_TRUE(dump(id));
  EXPECT_TRUE(fake().domain_info(id)->paused);
}

TEST_F(Dumps, EndWhenTheirDomainIsDestroyed) {
  const DomId id = create();
  const auto cut = dump(id, {}, [&](Pages, Pages) {
    if (toolstack().find("guest")) {
      EXPECT_TRUE(toolstack().destroy(id));
    }
  });
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::not_found);
  EXPECT_EQ(fake().usage(), Usage{});
}

TEST_F(Dumps, CanBeCancelled) {
  const DomId id = create();
  std::stop_source cancel;
  const auto cut = dump(
      id, {}, [&](Pages, Pages) { cancel.request_stop(); }, cancel.get_token());
  EXPECT_EQ(cut.error().code, ErrorCode::interrupted);
  EXPECT_FALSE(fake().domain_info(id)->paused);
}

TEST_F(Dumps, AFailedCallLetsTheDomainRunOn) {
  const DomId id = create();
  for (const Call call : {Call::get_vcpu_context, Call::populated_extents, Call::map_frames}) {
    fake().fail_nth(call, 1, ErrorCode::io);
    EXPECT_EQ(dump(id).error().code, ErrorCode::io);
    EXPECT_FALSE(fake().domain_info(id)->paused);
  }
  EXPECT_TRUE(dump(id));
}

TEST_F(Dumps, OfALiveDomainHaveWhatIsStillThere) {
  const DomId id = create();
  const std::string_view text = "somewhere in the guest's memory";
  ASSERT_TRUE(fake().guest_write(id, GuestPhys(5 << 20), std::as_bytes(std::span(text))));
  for (const ErrorCode code : {ErrorCode::no_memory, ErrorCode::invalid_argument}) {
    fake().fail_nth(Call::map_frames, 2, code);  // where the text is
    ASSERT_TRUE(dump(id, {.live = true}));
    EXPECT_NE(core().find(text), std::string::npos);
  }
}

TEST_F(Dumps, ACrashWritesOneAndNamesIt) {
  config::DomainConfig made = config();
  made.on_crash = config::ShutdownAction::coredump_destroy;
  const DomId id = create(made);
  ASSERT_TRUE(fake().guest_shutdown(id, hv::ShutdownReason::crash));
  const auto written = wait_for(Kind::coredump, id);
  ASSERT_TRUE(written && written->details.size() == 1);
  EXPECT_EQ(written->details[0].key, "file");
  const auto ended = wait_for(Kind::ended, id);
  ASSERT_TRUE(ended);
  ASSERT_EQ(files().size(), 1U);
  EXPECT_TRUE(files()[0].starts_with("guest-20") && files()[0].ends_with("Z.core")) << files()[0];
  EXPECT_NE(ended->end->report.find(files()[0]), std::string::npos);
}

TEST_F(Dumps, ACoreThatCannotBeWrittenHoldsNothingUp) {
  std::ofstream(options_.dump_dir) << "not a folder";
  config::DomainConfig made = config();
  made.on_crash = config::ShutdownAction::coredump_restart;
  const DomId id = create(made);
  ASSERT_TRUE(fake().guest_shutdown(id, hv::ShutdownReason::crash));
  EXPECT_EQ(wait_for(Kind::coredump, id)->details[0].key, "error");
  const auto ended = wait_for(Kind::ended, id);
  ASSERT_TRUE(ended && ended->end->successor);
  EXPECT_NE(ended->end->report.find("no core file"), std::string::npos);
}

TEST_F(Dumps, TheNewestFewOfANameAreKept) {
  const auto start = std::chrono::system_clock::from_time_t(1795363500);
  for (int i = 0; i < 8; ++i) {
    const auto path = prepare_dump_file(options_.dump_dir, "web", start + std::chrono::seconds(i));
    ASSERT_TRUE(path);
    std::ofstream(*path) << i;
  }
  ASSERT_TRUE(prepare_dump_file(options_.dump_dir, "web-2", start));  // another name
  EXPECT_EQ(files().size(), dumps_kept);
  for (const std::string& file : files()) {
    EXPECT_GE(file, "web-20261122T160503Z.core");
  }
}

}  // namespace
}  // namespace xl::toolstack
