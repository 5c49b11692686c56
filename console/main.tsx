/** x */
import "./theme/theme.css";
