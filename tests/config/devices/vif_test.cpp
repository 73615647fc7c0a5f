// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/vif.hpp"

#include <gtest/gtest.h>

#include "tests/config/devices/spec_text.hpp"

namespace xl::config {
namespace {

std::string outcome(const std::string& spec) {
  return spec_text(parse_vif(spec), spec);
}

TEST(Vif, EveryKeyHasItsPlace) {
  EXPECT_EQ(outcome("mac=00:16:3E:74:3d:76,bridge=xenbr0,gatewaydev=eth0,vifname=v,script=s,"
                    "ip=10.0.0.1,backend=d,rate=10Mb/s@20ms,devid=3,mtu=9000,type=vif,untrusted,"
                    "colo_checkpoint_port=1,forwarddev=f"),
            R"({"backend_domname":"d","devid":3,"mtu":9000,"mac":"00:16:3e:74:3d:76",)"
            R"("ip":"10.0.0.1","bridge":"xenbr0","ifname":"v","script":"s","nictype":"vif",)"
            R"("rate_bytes_per_interval":25000,"rate_interval_usecs":20000,"gatewaydev":"eth0",)"
            R"("coloft_forwarddev":"f","colo_checkpoint_port":"1","trusted":"False"})"
            "\n");
  EXPECT_EQ(outcome(""), "{}\n");
  EXPECT_EQ(outcome(" bridge = br0 , ,"), "{\"bridge\":\"br0\"}\n");
}

TEST(Vif, RatesAsInTheManual) {
  EXPECT_EQ(parse_vif("rate=10Mb/s").value->rate, (VifRate{62500, 50000}));
  EXPECT_EQ(parse_vif("rate=250KB/s").value->rate, (VifRate{12500, 50000}));
  EXPECT_EQ(parse_vif("rate=1MB/s@20ms").value->rate, (VifRate{20000, 20000}));
}

TEST(Vif, WhatHasNoMeaningIsWarnedOf) {
  EXPECT_EQ(outcome("type=ioemu"),
            "spec:1:1: warning: type=ioemu has no meaning here: PVH domains have no emulated "
            "network cards\n"
            "    type=ioemu\n"
            "    ^~~~~~~~~~\n"
            "  hint: remove it: the guest has the paravirtual interface in any case\n"
            "{\"nictype\":\"vif_ioemu\"}\n");
  EXPECT_EQ(outcome("netdev=eth0"),
            "spec:1:1: warning: 'netdev' is deprecated\n"
            "    netdev=eth0\n"
            "    ^~~~~~\n"
            "  hint: write gatewaydev=...\n"
            "{\"gatewaydev\":\"eth0\"}\n");
  for (const char* spec :
       {"model=e1000", "accel=1", "mac=01:00:00:00:00:01", "mtu=1500,mtu=9000", "rate=1MB/s@20"}) {
    const ParsedSpec<Vif> vif = parse_vif(spec);
    EXPECT_TRUE(vif.value) << spec;
    EXPECT_EQ(vif.findings.size(), 1u) << spec;
  }
}

TEST(Vif, EachErrorPointsAtItsCause) {
  EXPECT_EQ(outcome("mac=00:16:3e:00:00:01,brigde=xenbr0"),
            "spec:1:23: error: a vif has no key 'brigde'\n"
            "    mac=00:16:3e:00:00:01,brigde=xenbr0\n"
            "                          ^~~~~~\n"
            "  hint: did you mean 'bridge'?\n");
  EXPECT_EQ(outcome("bridge=b,mac=00:16:3e:00:00"),
            "spec:1:14: error: '00:16:3e:00:00' is not a MAC address\n"
            "    bridge=b,mac=00:16:3e:00:00\n"
            "                 ^~~~~~~~~~~~~~\n"
            "  hint: write six groups of two hexadecimal digits, as in 00:16:3e:74:3d:76\n");
  EXPECT_EQ(
      outcome("rate=10mb/s"),
      "spec:1:6: error: '10mb/s' is not a rate\n"
      "    rate=10mb/s\n"
      "         ^~~~~~\n"
      "  hint: write a whole number, a unit (GB, MB, KB, B for bytes, Gb, Mb, Kb, b for bits) "
      "and /s, as in 10Mb/s or 250KB/s@20ms\n");
  EXPECT_EQ(outcome("rate=1MB/s@5000s"),
            "spec:1:12: error: the interval '5000s' is out of range\n"
            "    rate=1MB/s@5000s\n"
            "               ^~~~~\n"
            "  hint: an interval is at least 1us and at most 4294s\n");
  EXPECT_EQ(outcome("type=vi"),
            "spec:1:6: error: 'vi' is not a type of vif\n"
            "    type=vi\n"
            "         ^~\n"
            "  hint: did you mean 'vif'?\n");
  EXPECT_EQ(outcome("mtu=12"),
            "spec:1:5: error: '12' is out of range\n"
            "    mtu=12\n"
            "        ^~\n"
            "  hint: 'mtu' takes a number from 68 to 65535\n");
  EXPECT_EQ(outcome("devid=x"),
            "spec:1:7: error: 'x' is not a number\n"
            "    devid=x\n"
            "          ^\n"
            "  hint: 'devid' takes a number from 0 to 2147483647\n");
  EXPECT_EQ(outcome("bridge"),
            "spec:1:1: error: 'bridge' needs a value\n"
            "    bridge\n"
            "    ^~~~~~\n"
            "  hint: write bridge=...\n");
  EXPECT_EQ(outcome("trusted=1"),
            "spec:1:1: error: 'trusted' takes no value\n"
            "    trusted=1\n"
            "    ^~~~~~~~~\n"
            "  hint: write trusted\n");
  EXPECT_EQ(outcome("script="),
            "spec:1:1: error: 'script' has an empty value\n"
            "    script=\n"
            "    ^~~~~~~\n"
            "  hint: give one, or leave the key out\n");
}

TEST(Mac, OneOrTwoDigitsAGroup) {
  EXPECT_EQ(to_string(*MacAddress::parse("0:16:3E:a:B:ff")), "00:16:3e:0a:0b:ff");
  for (const char* text : {"", ":", "00:16:3e:00:00:01:", "00:16:3e:00:00:001", "00-16-3e-00-00-01",
                           "0x:16:3e:00:00:01", "00:16:3e:00:00:-1", "00:16:3e:00:00:1g",
                           "00:16:3e:00:00:01:02", " 00:16:3e:00:00:01"}) {
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  }
}

}  // namespace
}  // namespace xl::config
