// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/vdev.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace xl::config {
namespace {

TEST(Vdev, TheNumbersOfTheManual) {
  const std::pair<const char*, std::uint32_t> names[] = {
      {"xvda", 202 << 8},
      {"d0", 202 << 8},
      {"d0p0", 202 << 8},
      {"xvda1", 202 << 8 | 1},
      {"xvdb2", 202 << 8 | 1 << 4 | 2},
      {"d1p2", 202 << 8 | 1 << 4 | 2},
      {"xvdp15", 202 << 8 | 15 << 4 | 15},
      {"xvdp16", 1 << 28 | 15 << 8 | 16},
      {"xvdq", 1 << 28 | 16 << 8},
      {"xvdz", 1 << 28 | 25 << 8},
      {"xvdaa", 1 << 28 | 26 << 8},
      {"xvdtq37", 1 << 28 | 536 << 8 | 37},
      {"d536p37", 1 << 28 | 536 << 8 | 37},
      {"d1048575p255", 1 << 28 | 1048575 << 8 | 255},
      {"hda", 3 << 8},
      {"hdb1", 3 << 8 | 1 << 6 | 1},
      {"hdc2", 22 << 8 | 2},
      {"hdd63", 22 << 8 | 1 << 6 | 63},
      {"sda", 8 << 8},
      {"sdb3", 8 << 8 | 1 << 4 | 3},
      {"sdp15", 8 << 8 | 15 << 4 | 15},
      {"768", 768},
      {"0x301", 769},
      {"01401", 769},
      {"0", 0},
      {"2147483647", 2147483647},
  };
  for (const auto& [name, number] : names) {
    const Result<Vdev> vdev = parse_vdev(name);
    ASSERT_TRUE(vdev) << describe(vdev.error());
    EXPECT_EQ(vdev->number, number) << name;
  }
}

TEST(Vdev, KnowsKindDiskAndPartition) {
  EXPECT_EQ(*parse_vdev("xvdtq37"), (Vdev{Vdev::Kind::xen, 536, 37, 1 << 28 | 536 << 8 | 37}));
  EXPECT_EQ(*parse_vdev("hdc2"), (Vdev{Vdev::Kind::ide, 2, 2, 22 << 8 | 2}));
  EXPECT_EQ(parse_vdev("sdb")->kind, Vdev::Kind::scsi);
  EXPECT_EQ(parse_vdev("0x301")->kind, Vdev::Kind::number);
}

TEST(Vdev, WhatIsNoName) {
  for (const char* name :
       {"",      "xvd",   "xvda0",  "xvda01", "xvdA",  "xvda1b", "xvda-1", "xvda 1", " xvda",
        "xvda ", "hd",    "hd1",    "sd",     "vda",   "d",      "dp1",    "d1p",    "d1p1p1",
        "d01",   "d1p01", "d-1p0",  "dxvda",  "xvd1",  "-1",     "+1",     "0x",     "08",
        "1e3",   "disk",  "/dev/x", "xvda\n", "d1 p1", "d+1",    "d1p+1",  "xvda+1", "nvme0n1"}) {
    const Result<Vdev> vdev = parse_vdev(name);
    ASSERT_FALSE(vdev) << name;
    EXPECT_EQ(vdev.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(vdev.error().message.find("is not the name of a virtual disk"), std::string::npos)
        << vdev.error().message;
    EXPECT_FALSE(vdev.error().hint.empty());
  }
}

TEST(Vdev, LimitsAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"hde", "'hde' is a disk beyond the last one, hdd"},
      {"hda64", "'hda64' is a partition beyond the last one, 63"},
      {"sdq", "'sdq' is a disk beyond the last one, sdp"},
      {"sda16", "'sda16' is a partition beyond the last one, 15"},
      {"xvda256", "'xvda256' is a partition beyond the last one, 255"},
      {"d0p256", "'d0p256' is a partition beyond the last one, 255"},
      {"d1048576", "'d1048576' is a disk beyond the last one, xvdbgqcv (d1048575)"},
      {"xvdbgqcw", "'xvdbgqcw' is a disk beyond the last one, xvdbgqcv (d1048575)"},
      {"xvdzzzzzzzzzzzzzzzzzzzzzzzz1",
       "'xvdzzzzzzzzzzzzzzzzzzzzzzzz1' is a disk beyond the last one, xvdbgqcv (d1048575)"},
      {"d99999999999999999999p1",
       "'d99999999999999999999p1' is a disk beyond the last one, xvdbgqcv (d1048575)"},
      {"xvda99999999999999999999",
       "'xvda99999999999999999999' is a partition beyond the last one, 255"},
      {"2147483648", "'2147483648' is out of range: device numbers go up to 2147483647"},
      {"0xffffffffffffffffff",
       "'0xffffffffffffffffff' is out of range: device numbers go up to 2147483647"},
  };
  for (const auto& [name, message] : cases) {
    const Result<Vdev> vdev = parse_vdev(name);
    ASSERT_FALSE(vdev) << name;
    EXPECT_EQ(vdev.error().message, message);
  }
  EXPECT_EQ(parse_vdev("xvdbgqcv")->disk, 1048575u);
}

}  // namespace
}  // namespace xl::config
