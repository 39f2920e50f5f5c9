// Links to all live logic nodes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/link/link_client.h"
#include "common/link/member_view.h"
#include "common/owners/owner_table.h"

namespace hongyan::owners {

// Keeps a LinkClient to each live logic node and numbers the links that are up, for a Router. The links'
// handler is its owner, which tells it of links that come and go. Lives on one loop; all calls there. The
// identity and the handler outlive it, and it outlives its loop's work.
class Nodes {
 public:
  struct Options {
    std::uint32_t worker = 0;  // told to the nodes in our hello
    link::LinkOptions link;
  };
  Nodes(net::EventLoop& loop, const link::Identity& identity, link::LinkHandler& handler, Options options)
      : loop_(loop), identity_(identity), handler_(handler), options_(options) {}

  // The live logic nodes: links to new ones are begun, those to others ended.
  void set(const std::vector<link::Member>& nodes);
  // Ends all links; set() does nothing from then on.
  void stop();

  // A link came up; 0 when its peer is no logic node (then the link is closed).
  NodeId up(const link::LinkPtr& link);
  // It went down. 0: it was not known.
  NodeId down(const link::LinkPtr& link);

  // 0: not known.
  [[nodiscard]] NodeId id_of(const link::LinkPtr& link) const noexcept;
  // Null: it has gone.
  [[nodiscard]] link::Link* link_of(NodeId node) const noexcept;
  // Links that are up.
  [[nodiscard]] std::size_t size() const noexcept { return links_.size(); }

 private:
  net::EventLoop& loop_;
  const link::Identity& identity_;
  link::LinkHandler& handler_;
  const Options options_;

  struct NodeLink {
    NodeId node;
    link::LinkPtr link;
  };
  std::map<std::string, std::shared_ptr<link::LinkClient>> clients_;  // by node id
  std::vector<NodeLink> links_;
  NodeId next_ = 1;
  bool stopped_ = false;
};

}  // namespace hongyan::owners
