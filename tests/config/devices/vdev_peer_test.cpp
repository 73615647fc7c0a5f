// SPDX-License-Identifier: Apache-2.0
// Names of virtual disks against libxl's own reading of them, which is not exported: the static
// library of libxen-dev has it. Left out is where libxl reads on what is no name (blanks, signs,
// hex and octal digits in "d<disk>p<partition>", a family without a letter behind it,
// numbers of more digits than a long has), and "d0"
// without a partition, which the manual has and libxl has not.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <regex>
#include <string>

#include "libxl++/config/devices/vdev.hpp"

extern "C" int libxl__device_disk_dev_number(const char* name, int* disk, int* partition);

namespace xl::config {
namespace {

// Whether both took it.
bool compare(const std::string& name) {
  const Result<Vdev> ours = parse_vdev(name);
  const int theirs = libxl__device_disk_dev_number(name.c_str(), nullptr, nullptr);
  EXPECT_EQ(theirs >= 0, ours.has_value()) << name << " is " << theirs;
  if (theirs < 0 || !ours) return false;
  EXPECT_EQ(static_cast<std::uint32_t>(theirs), ours->number) << name;
  if (ours->kind != Vdev::Kind::number) {
    int disk = -1;  // of a number libxl does not tell these
    int partition = -1;
    libxl__device_disk_dev_number(name.c_str(), &disk, &partition);
    EXPECT_EQ(static_cast<std::uint32_t>(disk), ours->disk) << name;
    EXPECT_EQ(static_cast<std::uint32_t>(partition), ours->partition) << name;
  }
  return true;
}

TEST(VdevPeer, EveryDiskOfEveryFamily) {
  for (const char* family : {"xvd", "sd", "hd"}) {
    for (char first = 'a'; first <= 'z'; ++first) {
      for (const char* partition : {"", "1", "15", "16", "63", "64", "255", "256"}) {
        compare(family + std::string(1, first) + partition);
        for (char second = 'a'; second <= 'z'; ++second) {
          compare(family + std::string{first, second} + partition);
        }
      }
    }
  }
}

constexpr std::array pieces = {
    "xvd", "hd", "sd",  "d",   "p",  "a",   "b", "z",       "aa",      "q",  "0", "1",         "2",
    "15",  "16", "255", "256", "63", "536", "7", "1048575", "1048576", "0x", "x", "9999999999"};

TEST(VdevPeer, RandomNames) {
  const std::regex plain("d(0|[1-9][0-9]{0,8})p(0|[1-9][0-9]{0,8})([^0-9x].*)?");
  const std::regex huge("[0-9]{18}");
  const std::regex unlettered("^(xvd|hd|sd)([^a-z]|$)");
  std::mt19937 random(2026);
  int taken = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string name;
    for (auto left = 1 + random() % 5; left > 0; --left) name += pieces[random() % pieces.size()];
    if (std::regex_search(name, unlettered) || std::regex_search(name, huge)) continue;
    if (name.starts_with('d') && !std::regex_match(name, plain)) continue;
    taken += compare(name) ? 1 : 0;
    if (HasFailure()) return;
  }
  EXPECT_GT(taken, 3000);
}

}  // namespace
}  // namespace xl::config
