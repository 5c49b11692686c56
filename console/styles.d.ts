/** Style sheets are bundled; a program imports nothing of them. */
declare module "*.css";
