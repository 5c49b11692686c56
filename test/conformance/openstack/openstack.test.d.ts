/** install.sh against a real OpenStack: the scenarios that this run takes, one after another, since they share a quota. */
export {};
