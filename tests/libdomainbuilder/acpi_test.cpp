// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <numeric>
#include <sstream>

#include "libdomainbuilder/acpi/aml.hpp"
#include "libdomainbuilder/acpi/table_writer.hpp"
#include "libdomainbuilder/acpi/tables.hpp"
#include "libdomainbuilder/image/bytes.hpp"
#include "tests/libdomainbuilder/fixtures/temp_dir.hpp"

namespace xl::build::acpi {
namespace {

using Table = std::vector<std::byte>;

unsigned sum(std::span<const std::byte> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0u,
                         [](unsigned so_far, std::byte byte) {
                           return so_far + std::to_integer<unsigned>(byte);
                         }) &
         0xff;
}

// A table found by its address in the block, as an operating system does: checked, then read.
ByteView table_at(ByteView block, GuestPhys base, std::uint64_t address,
                  std::string_view signature) {
  const std::uint64_t offset = address - base.value();
  EXPECT_TRUE(block.has(offset, signature)) << signature;
  const auto length = block.read<std::uint32_t>(offset + 4);
  const auto table = block.sub(offset, length.value_or(0));
  EXPECT_TRUE(table);
  EXPECT_EQ(sum(table->bytes()), 0u) << signature;
  return *table;
}

TEST(AcpiTablesTest, FoundFromTheRootPointer) {
  constexpr GuestPhys base{0xfc000000};
  const Table block = make_tables({2, 3}, base);
  const ByteView view(block);
  ASSERT_TRUE(view.has(0, "RSD PTR "));
  EXPECT_EQ(sum(view.bytes().first(20)), 0u);
  EXPECT_EQ(sum(view.bytes().first(36)), 0u);
  EXPECT_EQ(view.read<std::uint8_t>(15), 2);
  EXPECT_EQ(view.read<std::uint32_t>(20), 36u);
  const ByteView xsdt = table_at(view, base, *view.read<std::uint64_t>(24), "XSDT");
  ASSERT_EQ(xsdt.size(), 36u + 2 * 8);
  const ByteView fadt = table_at(view, base, *xsdt.read<std::uint64_t>(36), "FACP");
  const ByteView madt = table_at(view, base, *xsdt.read<std::uint64_t>(44), "APIC");
  const ByteView dsdt = table_at(view, base, *fadt.read<std::uint64_t>(140), "DSDT");
  EXPECT_EQ(*fadt.read<std::uint32_t>(40), *fadt.read<std::uint64_t>(140));
  EXPECT_EQ(fadt.size(), 268u);
  EXPECT_NE(*fadt.read<std::uint32_t>(112) & (1u << 20), 0u);  // hardware-reduced
  EXPECT_EQ(*fadt.read<std::uint16_t>(109), 0x24);             // no VGA, no RTC
  EXPECT_EQ(madt.size(), 44u + 3 * 8);
  EXPECT_GT(dsdt.size(), 36u);
}

TEST(AcpiTablesTest, LocalApics) {
  const Table table = make_madt({2, 128});
  const ByteView madt(table);
  EXPECT_EQ(*madt.read<std::uint32_t>(36), 0xfee00000u);
  for (std::uint64_t vcpu = 0; vcpu < 128; ++vcpu) {
    const std::uint64_t at = 44 + vcpu * 8;
    EXPECT_EQ(*madt.read<std::uint8_t>(at), 0);
    EXPECT_EQ(*madt.read<std::uint8_t>(at + 1), 8);
    EXPECT_EQ(*madt.read<std::uint8_t>(at + 2), vcpu);
    EXPECT_EQ(*madt.read<std::uint8_t>(at + 3), vcpu * 2);
    EXPECT_EQ(*madt.read<std::uint32_t>(at + 4), vcpu < 2 ? 1u : 0u);
  }
}

TEST(AmlTest, PackageLengthCountsItself) {
  const auto encode = [](std::size_t size) {
    std::vector<unsigned> bytes;
    for (const std::byte byte : aml::package_length(size)) {
      bytes.push_back(std::to_integer<unsigned>(byte));
    }
    return bytes;
  };
  EXPECT_EQ(encode(0), (std::vector<unsigned>{1}));
  EXPECT_EQ(encode(62), (std::vector<unsigned>{63}));
  EXPECT_EQ(encode(63), (std::vector<unsigned>{0x41, 0x04}));          // 65
  EXPECT_EQ(encode(4093), (std::vector<unsigned>{0x4f, 0xff}));        // 4095
  EXPECT_EQ(encode(4094), (std::vector<unsigned>{0x81, 0x00, 0x01}));  // 4097
  EXPECT_EQ(encode(0xffffc), (std::vector<unsigned>{0x8f, 0xff, 0xff}));
  EXPECT_EQ(encode(0xffffd), (std::vector<unsigned>{0xc1, 0x00, 0x00, 0x01}));
}

TEST(AmlTest, Integers) {
  EXPECT_EQ(aml::integer(0), (aml::Term{std::byte{0}}));
  EXPECT_EQ(aml::integer(1), (aml::Term{std::byte{1}}));
  EXPECT_EQ(aml::integer(0xff).size(), 2u);
  EXPECT_EQ(aml::integer(0x100).size(), 3u);
  EXPECT_EQ(aml::integer(0x10000).size(), 5u);
}

// ACPICA's own disassembler and compiler take what we wrote.
class IaslTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v iasl >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "iasl (acpica-tools) is not installed";
    }
  }

  // The disassembly of the table.
  std::string disassemble(const std::string& name, std::span<const std::byte> table) {
    const std::string file = directory_.write(name + ".dat", table);
    const std::string command =
        "cd '" + directory_.path("") + "' && iasl -d " + name + ".dat >" + name + ".log 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << slurp(name + ".log");
    EXPECT_EQ(slurp(name + ".log").find("Error"), std::string::npos) << slurp(name + ".log");
    return slurp(name + ".dsl");
  }
  std::string slurp(const std::string& name) {
    std::stringstream text;
    text << std::ifstream(directory_.path(name)).rdbuf();
    return text.str();
  }

  fixture::TempDir directory_;
};

TEST_F(IaslTest, Dsdt) {
  const std::string text = disassemble("dsdt", make_dsdt({1, 2}));
  EXPECT_NE(text.find("Scope (\\_SB)"), std::string::npos) << text;
  EXPECT_NE(text.find("Device (C001)"), std::string::npos) << text;
  EXPECT_NE(text.find("Name (_HID, \"ACPI0007\""), std::string::npos) << text;
  // Both are there; the second has an enabled entry of its own, as the MADT has a disabled one.
  const std::string present = "Name (_STA, 0x0F)";
  EXPECT_NE(text.find(present), text.rfind(present)) << text;
  EXPECT_GT(text.find("Name (_MAT, Buffer (0x08)"), text.find("Device (C001)")) << text;
  EXPECT_NE(text.find("0x00, 0x08, 0x01, 0x02, 0x01, 0x00, 0x00, 0x00"), std::string::npos) << text;
  EXPECT_EQ(
      std::system(("cd '" + directory_.path("") + "' && iasl dsdt.dsl >again.log 2>&1").c_str()), 0)
      << slurp("again.log");
  EXPECT_NE(slurp("again.log").find("0 Errors, 0 Warnings"), std::string::npos)
      << slurp("again.log");
}

TEST_F(IaslTest, DsdtOfManyProcessors) {
  const std::string text = disassemble("dsdt", make_dsdt({1, 128}));
  EXPECT_NE(text.find("Device (C07F)"), std::string::npos);
}

TEST_F(IaslTest, DataTables) {
  EXPECT_NE(disassemble("facp", make_fadt(GuestPhys(0xfc000030))).find("Hardware Reduced (V5) : 1"),
            std::string::npos);
  EXPECT_NE(disassemble("apic", make_madt({1, 2})).find("Local Apic ID : 02"), std::string::npos);
  const GuestPhys tables[] = {GuestPhys(0xfc000100)};
  EXPECT_NE(disassemble("xsdt", make_xsdt(tables)).find("00000000FC000100"), std::string::npos);
}

}  // namespace
}  // namespace xl::build::acpi
