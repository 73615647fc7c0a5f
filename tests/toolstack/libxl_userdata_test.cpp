// SPDX-License-Identifier: Apache-2.0
// The files of the stock toolstack: their names, what they hold, and its lock.
#include "libxl++/toolstack/libxl_userdata.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/unique_fd.hpp"

namespace xl::toolstack {
namespace {

const std::string uuid_text = "52f2bbdd-015c-4ff8-9d75-c753af3febb2";
const std::string file = "userdata-d.7." + uuid_text + ".libxl-json";
const std::string lock_file = "userdata-l.7." + uuid_text + ".domain-userdata-lock";

class Userdata : public ::testing::Test {
 protected:
  Userdata() {
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-userdata-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    data_.emplace(directory_);
  }
  ~Userdata() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::string read(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      found.insert(entry.path().filename().string());
    }
    return found;
  }

  const DomId domain_{7};
  const config::Uuid uuid_ = *config::Uuid::parse(uuid_text);
  std::string directory_;
  std::optional<LibxlUserdata> data_;
};

TEST_F(Userdata, IsWrittenWhereLibxlLooksForIt) {
  ASSERT_TRUE(data_->write(domain_, uuid_, "{}\n"));
  EXPECT_EQ(read(file), std::string("{}\n\0", 4));
  struct stat status {};
  ASSERT_EQ(::stat(path(file).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const std::string least = R"({"c_info":{},"b_info":{}})";
  ASSERT_TRUE(data_->write(domain_, uuid_, least));
  EXPECT_EQ(data_->read(domain_, uuid_).value_or(""), least);
  EXPECT_EQ(read(file), least + '\0');
  EXPECT_EQ(names(), (std::set<std::string>{file})) << "no lock, nothing unfinished";
}

TEST_F(Userdata, IsNotReadIfItIsDamaged) {
  EXPECT_FALSE(data_->read(domain_, uuid_)) << "not there";
  for (const char* text : {"", "{", "[]", R"({"c_info":{},"b_info":5})"}) {
    ASSERT_TRUE(data_->write(domain_, uuid_, text));
    const auto refused = data_->read(domain_, uuid_);
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(describe(refused.error()).find(file), std::string::npos);
  }
  std::ofstream(path(file)) << std::string((1 << 20) + 1, ' ');
  EXPECT_FALSE(data_->read(domain_, uuid_)) << "too large";
}

TEST_F(Userdata, GoesWithAllThatAnyoneKeptOfTheDomain) {
  ASSERT_TRUE(data_->write(domain_, uuid_, "{}"));
  const std::string another = "userdata-d.77." + uuid_text + ".libxl-json";
  const std::string former = "userdata-d.7.00000000-015c-4ff8-9d75-c753af3febb2.libxl-json";
  for (const std::string& name :
       {"userdata-d.7." + uuid_text + ".xl", "userdata-n.7." + uuid_text + ".libxl-json",
        "userdata-l.7." + uuid_text + ".libxl-device-changes-lock", another, former}) {
    std::ofstream(path(name)) << "x";
  }
  ASSERT_TRUE(data_->remove(domain_, uuid_));
  EXPECT_EQ(names(), (std::set<std::string>{another, former}));
  EXPECT_TRUE(data_->remove(domain_, uuid_)) << "nothing there is no error";
}

// As a stock tool holds it: locked, and removed while it is locked.
TEST_F(Userdata, WaitsForAStockTool) {
  UniqueFd held(::open(path(lock_file).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    EXPECT_TRUE(data_->write(domain_, uuid_, "{}"));
    done = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(done);
  EXPECT_EQ(read(file), "");
  std::filesystem::remove(path(lock_file));
  held.reset();
  writer.join();
  EXPECT_EQ(names(), (std::set<std::string>{file}));
}

TEST_F(Userdata, NamesTheFileThatItCannotWrite) {
  const LibxlUserdata nowhere(directory_ + "/none");
  const auto refused = nowhere.write(domain_, uuid_, "{}");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  EXPECT_NE(describe(refused.error()).find("/none/userdata-l.7."), std::string::npos);
  EXPECT_FALSE(nowhere.remove(domain_, uuid_));
  std::filesystem::create_directory(path(file));
  EXPECT_FALSE(data_->write(domain_, uuid_, "{}"));
}

// What stock 4.17.7 had for the same configuration, member by member.
TEST_F(Userdata, HoldsWhatTheStockXlWrites) {
  config::DomainConfig config;
  config.name = "it";
  config.uuid = uuid_;
  config.kernel = "/k";
  config.command_line = "a b";
  config.memory = mib(32);
  config.max_memory = mib(48);
  config.max_vcpus = 2;
  config.scheduling.weight = 300;
  config::CpuSet first;
  first.set(0);
  config.scheduling.cpus = {first, first};
  config.on_crash = config::ShutdownAction::preserve;
  const std::string json = libxl_json(config);
  EXPECT_TRUE(json.ends_with("}\n"));
  EXPECT_EQ(nlohmann::ordered_json::parse(json).dump(), nlohmann::ordered_json::parse(R"({
    "c_info": {"type": "pvh", "name": "it", "domid": 4294967295,
               "uuid": "52f2bbdd-015c-4ff8-9d75-c753af3febb2", "run_hotplug_scripts": "True"},
    "b_info": {"max_vcpus": 2, "avail_vcpus": [0], "vcpu_hard_affinity": [[0], [0]],
               "max_memkb": 49152, "target_memkb": 32768, "video_memkb": 0,
               "sched_params": {"weight": 300}, "claim_mode": "True", "kernel": "/k",
               "cmdline": "a b", "type.pvh": {}, "arch_arm": {},
               "arch_x86": {"msr_relaxed": "False"}},
    "on_reboot": "restart", "on_crash": "preserve", "on_soft_reset": "soft_reset"})")
                                                            .dump());
}

}  // namespace
}  // namespace xl::toolstack
