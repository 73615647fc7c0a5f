// SPDX-License-Identifier: Apache-2.0
// Records of domains on disk: what is written comes back, and what is damaged hurts nobody else.
#include "libxl++/toolstack/records.hpp"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace xl::toolstack {
namespace {

class RecordsOf : public ::testing::Test {
 protected:
  RecordsOf() {
    spdlog::set_level(spdlog::level::off);
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-records-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~RecordsOf() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::unique_ptr<Records> open() {
    auto records = Records::open(directory_);
    EXPECT_TRUE(records);
    return std::move(records).value();
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/domains")) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  std::string directory_;
};

Record whole_record() {
  Record record;
  record.phase = RecordPhase::running;
  record.plan.config.name = "guest";
  record.plan.config.uuid = *config::Uuid::parse("c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5f");
  record.plan.config.kernel = "/boot/vmlinuz";
  record.plan.config.command_line = "console=hvc0 \"quoted\"";
  record.plan.config.on_crash = config::ShutdownAction::preserve;
  record.plan.ignore_death = true;
  record.id = DomId(17);
  record.created = std::chrono::system_clock::time_point(std::chrono::nanoseconds(1234567890123));
  record.started = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(42));
  record.paused = true;
  record.death_seen = true;
  record.has_loan = true;
  record.console = {Gfn(0xfeff0), EventPort(3)};
  record.store = {Gfn(0xfeff1), EventPort(4)};
  record.console_log = "/var/log/xl/guest-guest.log";
  record.console_log_start = 4711;
  return record;
}

void expect_same(const Record& a, const Record& b) {
  EXPECT_EQ(a.phase, b.phase);
  EXPECT_EQ(a.plan.config, b.plan.config);
  EXPECT_EQ(a.plan.ignore_death, b.plan.ignore_death);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.created, b.created);
  EXPECT_EQ(a.started, b.started);
  EXPECT_EQ(a.paused, b.paused);
  EXPECT_EQ(a.death_seen, b.death_seen);
  EXPECT_EQ(a.has_loan, b.has_loan);
  EXPECT_EQ(a.console, b.console);
  EXPECT_EQ(a.store, b.store);
  EXPECT_EQ(a.console_log, b.console_log);
  EXPECT_EQ(a.console_log_start, b.console_log_start);
}

TEST(Record, ComesBackAsItWas) {
  for (const RecordPhase phase :
       {RecordPhase::building, RecordPhase::running, RecordPhase::restarting, RecordPhase::dying}) {
    Record record = whole_record();
    record.phase = phase;
    const auto again = parse_record(to_text(record));
    ASSERT_TRUE(again) << describe(again.error());
    expect_same(*again, record);
  }
}

TEST(Record, OfADomainThatIsBeingMadeNeedsNoId) {
  Record record = whole_record();
  record.phase = RecordPhase::building;
  record.id.reset();
  const auto again = parse_record(to_text(record));
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_FALSE(again->id);
}

TEST(Record, OfAVersionBeforeLoansHasNone) {
  std::string text = to_text(whole_record());
  const std::string loan = "\"has_loan\":true,";
  const std::size_t at = text.find(loan);
  ASSERT_NE(at, text.npos);
  const auto again = parse_record(text.erase(at, loan.size()));
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_FALSE(again->has_loan);
}

TEST(Record, SaysWhatIsWrongWithIt) {
  const std::string good = to_text(whole_record());
  const auto refusal = [&](const std::string& what, const std::string& with) {
    std::string text = good;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, text.npos) << what;
    const auto refused = parse_record(text.replace(at, what.size(), with));
    return refused ? std::string("nothing") : refused.error().message;
  };
  EXPECT_NE(refusal("\"version\":1", "\"version\":2").find("version"), std::string::npos);
  EXPECT_NE(refusal("\"running\"", "\"flying\"").find("'phase'"), std::string::npos);
  EXPECT_NE(refusal("\"domid\":17", "\"domid\":70000").find("'domid'"), std::string::npos);
  EXPECT_NE(refusal("\"port\":3", "\"port\":-3").find("'console'"), std::string::npos);
  EXPECT_NE(refusal("\"has_loan\":true", "\"has_loan\":1").find("'has_loan'"), std::string::npos);
  EXPECT_NE(refusal("\"paused\":true", "\"paused\":1").find("'paused'"), std::string::npos);
  EXPECT_NE(refusal("\"vcpus\":1", "\"vcpus\":0").find("vcpus"), std::string::npos);
  EXPECT_NE(refusal(",\"domid\":17", "").find("which domain"), std::string::npos);
  EXPECT_FALSE(parse_record(good.substr(0, good.size() / 2)));
  EXPECT_FALSE(parse_record(""));
  EXPECT_FALSE(parse_record("[]"));
}

TEST_F(RecordsOf, ADirectoryComeBackByTheirKeys) {
  const Record record = whole_record();
  std::string key;
  {
    const auto records = open();
    key = records->new_key(*record.plan.config.uuid);
    ASSERT_TRUE(records->write(key, record));
  }
  const auto records = open();
  const Records::Contents contents = records->load();
  ASSERT_EQ(contents.entries.size(), 1U);
  EXPECT_EQ(contents.entries[0].key, key);
  EXPECT_EQ(contents.entries[0].handle, *record.plan.config.uuid);
  expect_same(contents.entries[0].record, record);
  EXPECT_NE(records->new_key(*record.plan.config.uuid), key) << "it is in use";
}

TEST_F(RecordsOf, ADirectoryAreReplacedAndRemovedWithTheirConsole) {
  const auto records = open();
  Record record = whole_record();
  const std::string key = records->new_key(*record.plan.config.uuid);
  ASSERT_TRUE(records->write(key, record));
  record.paused = false;
  ASSERT_TRUE(records->write(key, record));
  EXPECT_EQ(files(), std::vector<std::string>{key + ".json"});
  std::ofstream(records->console_path(key)) << "text";
  records->remove(key);
  EXPECT_TRUE(files().empty());
}

TEST_F(RecordsOf, ADirectoryThatIsDamagedStopNobody) {
  const Record record = whole_record();
  std::string good;
  std::string bad;
  {
    const auto records = open();
    good = records->new_key(*record.plan.config.uuid);
    bad = records->new_key(*record.plan.config.uuid);
    ASSERT_TRUE(records->write(good, record));
    ASSERT_TRUE(records->write(bad, record));
  }
  std::filesystem::resize_file(directory_ + "/domains/" + bad + ".json", 100);
  std::ofstream(directory_ + "/domains/no-record.json") << "{}";
  std::ofstream(directory_ + "/domains/" + good + ".json.new") << "half";
  std::filesystem::create_directory(directory_ + "/domains/" + to_string(config::Uuid()) +
                                    ".9.json");
  const Records::Contents contents = open()->load();
  ASSERT_EQ(contents.entries.size(), 1U);
  EXPECT_EQ(contents.entries[0].key, good);
  ASSERT_EQ(contents.damaged.size(), 2U);
  EXPECT_EQ(contents.damaged[1].key, bad);
  EXPECT_EQ(contents.damaged[1].handle, *record.plan.config.uuid);
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/domains/" + bad + ".damaged"));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/domains/" + good + ".json.new"));
  EXPECT_EQ(open()->load().damaged.size(), 0U) << "it is aside";
}

TEST_F(RecordsOf, ADirectoryThatIsFullSaySo) {
  const auto records = open();
  std::filesystem::remove_all(directory_ + "/domains");
  const auto written = records->write("key", whole_record());
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("key.json"), std::string::npos);
}

TEST(RecordsWithoutADirectory, KeepNothing) {
  const auto records = Records::open("");
  ASSERT_TRUE(records);
  EXPECT_TRUE((*records)->write((*records)->new_key({}), whole_record()));
  EXPECT_EQ((*records)->console_path("key"), "");
  EXPECT_TRUE((*records)->load().entries.empty());
}

}  // namespace
}  // namespace xl::toolstack
